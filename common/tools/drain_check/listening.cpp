#include "listening.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace lifecycle::check {
namespace {

/// The inodes of all sockets that listen on the port, whosever they are.
std::set<unsigned long> listeners(int port) {
    std::set<unsigned long> inodes;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(table);
        std::string line;
        std::getline(file, line);  // the headings
        while (std::getline(file, line)) {
            std::istringstream fields(line);
            std::string number, local, remote, state, queues, timer, retransmits, uid, timeout;
            unsigned long inode = 0;
            fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
            const bool isPort = std::stoi(local.substr(local.find(':') + 1), nullptr, 16) == port;
            if (state == "0A" && isPort) {
                inodes.insert(inode);
            }
        }
    }
    return inodes;
}

}  // namespace

Listening listeningOn(int port, const std::vector<test::ProcessEntry>& processes) {
    Listening result;
    const std::set<unsigned long> inodes = listeners(port);
    if (inodes.empty()) {
        return result;
    }
    for (const test::ProcessEntry& process : processes) {
        std::error_code gone;  // processes and descriptors come and go while we look
        const auto folder = std::filesystem::path("/proc") / std::to_string(process.pid) / "fd";
        std::filesystem::directory_iterator entry(folder, gone);
        for (const std::filesystem::directory_iterator end; !gone && entry != end; entry.increment(gone)) {
            std::error_code ignored;
            const std::string target = std::filesystem::read_symlink(entry->path(), ignored).string();
            if (!target.starts_with("socket:[")) {
                continue;
            }
            const unsigned long inode = std::stoul(target.substr(8));
            if (inodes.contains(inode)) {
                result.inodes.insert(inode);
                result.holders.insert(process.pid);
            }
        }
    }
    return result;
}

}  // namespace lifecycle::check
