#include "proc.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <set>
#include <sstream>

namespace lifecycle::test {

namespace {

namespace fs = std::filesystem;

fs::path folder(pid_t pid) {
    return fs::path("/proc") / std::to_string(pid);
}

/// "socket:[4711]" of every socket it has open.
std::set<std::string> openSockets(pid_t pid) {
    std::set<std::string> sockets;
    std::error_code gone; // descriptors come and go while we look
    for (fs::directory_iterator entry(folder(pid) / "fd", gone), end; !gone && entry != end;
         entry.increment(gone)) {
        std::error_code ignored;
        sockets.insert(fs::read_symlink(entry->path(), ignored).string());
    }
    return sockets;
}

/// "0100007F:1F90" as "127.0.0.1:8080".
std::string readable(const std::string& hexadecimal) {
    const auto colon = hexadecimal.find(':');
    const std::string port =
        std::to_string(std::strtoul(hexadecimal.c_str() + colon + 1, nullptr, 16));
    if (colon != 8) {
        return "[…]:" + port;
    }
    in_addr address{};
    address.s_addr = static_cast<in_addr_t>(std::strtoul(hexadecimal.c_str(), nullptr, 16));
    char text[INET_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET, &address, text, sizeof text);
    return text + (":" + port);
}

} // namespace

std::chrono::milliseconds cpuTime(pid_t pid) {
    std::ifstream file(folder(pid) / "stat");
    std::string text; // empty for a process that is gone
    std::getline(file, text);
    std::istringstream fields(text.substr(text.rfind(')') + 1)); // the name may contain blanks
    std::string skipped;
    for (int field = 3; field < 14; ++field) {
        fields >> skipped;
    }
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

bool allThreadsSleep(pid_t pid) {
    std::error_code gone;
    for (fs::directory_iterator thread(folder(pid) / "task", gone), end; !gone && thread != end; thread.increment(gone)) {
        std::ifstream file(thread->path() / "stat");
        std::string text;
        std::getline(file, text);
        const auto name = text.rfind(") ");
        if (name == std::string::npos || text[name + 2] != 'S') {
            return false;
        }
    }
    return !gone;
}

std::vector<std::string> listeningAddresses(pid_t pid) {
    const std::set<std::string> sockets = openSockets(pid);
    std::vector<std::string> addresses;
    for (const char* table : {"tcp", "tcp6"}) {
        std::ifstream file(folder(pid) / "net" / table);
        std::string line;
        std::getline(file, line); // the headings
        while (std::getline(file, line)) {
            std::istringstream fields(line);
            std::string number, local, remote, state, queues, timer, retransmits, uid, timeout;
            std::string inode;
            fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >>
                timeout >> inode;
            const bool listens = state == "0A";
            if (listens && sockets.count("socket:[" + inode + "]") != 0) {
                addresses.push_back(readable(local));
            }
        }
    }
    return addresses;
}

std::set<std::string> listeningSockets(pid_t pid) {
    const std::set<std::string> open = openSockets(pid);
    std::set<std::string> listening;
    const auto addIfOpen = [&](const std::string& inode) {
        if (open.count("socket:[" + inode + "]") != 0) {
            listening.insert("socket:[" + inode + "]");
        }
    };
    for (const char* table : {"tcp", "tcp6"}) {
        std::ifstream file(folder(pid) / "net" / table);
        for (std::string line; std::getline(file, line);) {
            std::istringstream fields(line);
            std::string field;
            std::vector<std::string> all;
            while (fields >> field) {
                all.push_back(field);
            }
            if (all.size() > 9 && all[3] == "0A") {
                addIfOpen(all[9]);
            }
        }
    }
    std::ifstream file(folder(pid) / "net" / "unix");
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string number, references, protocol, flags, type, state, inode;
        fields >> number >> references >> protocol >> flags >> type >> state >> inode;
        if (flags == "00010000" && type == "0001") { // __SO_ACCEPTCON, SOCK_STREAM
            addIfOpen(inode);
        }
    }
    return listening;
}

int listeningPort(pid_t pid) {
    const auto addresses = listeningAddresses(pid);
    return addresses.size() == 1
               ? std::atoi(addresses[0].c_str() + addresses[0].rfind(':') + 1)
               : 0;
}

std::vector<SignalSet> signalSets(pid_t pid, const std::string& name) {
    std::vector<SignalSet> sets;
    std::error_code gone;
    for (fs::directory_iterator thread(folder(pid) / "task", gone), end; !gone && thread != end;
         thread.increment(gone)) {
        std::ifstream file(thread->path() / "status");
        std::string word;
        while (file >> word && word != name + ":") {
        }
        if (file >> word) {
            sets.emplace_back(std::strtoull(word.c_str(), nullptr, 16));
        }
    }
    return sets;
}

bool ignoresSigpipe(pid_t pid) {
    const auto sets = signalSets(pid, "SigIgn");
    return !sets.empty() && sets.front().has(SIGPIPE);
}

std::multiset<std::string> threadNames(pid_t pid) {
    std::multiset<std::string> names;
    std::error_code gone; // threads end while we look
    for (const auto& task : std::filesystem::directory_iterator(folder(pid) / "task", gone)) {
        std::ifstream file(task.path() / "comm");
        std::string name;
        std::getline(file, name);
        names.insert(name);
    }
    return names;
}

bool acceptsFrom(pid_t pid, const std::string& socket) {
    const auto inode = std::strtoull(socket.c_str() + socket.find('[') + 1, nullptr, 10);
    std::error_code gone; // descriptors come and go while we look
    for (fs::directory_iterator entry(folder(pid) / "fdinfo", gone), end; !gone && entry != end; entry.increment(gone)) {
        std::ifstream file(entry->path());
        for (std::string line; std::getline(file, line);) { // "tfd: 5 events: 19 data: … pos:0 ino:a7d sdev:8"
            const auto at = line.find("ino:");
            if (line.find("tfd:") == 0 && at != std::string::npos &&
                std::strtoull(line.c_str() + at + 4, nullptr, 16) == inode) {
                return true;
            }
        }
    }
    return false;
}

pid_t firstChild(pid_t pid) {
    std::ifstream file(folder(pid) / "task" / std::to_string(pid) / "children");
    pid_t child = 0;
    file >> child;
    return child;
}

} // namespace lifecycle::test
