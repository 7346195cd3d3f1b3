#include "receive_queues.h"

#include <fstream>
#include <iomanip>
#include <sstream>
#include <stdexcept>
#include <string>

namespace lifecycle::test {
namespace {

constexpr int established = 1;
constexpr int listening = 10;

int hexadecimal(const std::string& text) {
    return static_cast<int>(std::stoul(text, nullptr, 16));
}

int portOf(const std::string& address) {
    return hexadecimal(address.substr(address.find(':') + 1));
}

/// How many connections of this port the server has read empty; nothing as long as bytes are on the way, or
/// connections in line. A server on [::] has its connections in the second table.
std::size_t readEmpty(int port) {
    std::size_t empty = 0;
    std::ostringstream hexadecimalPort;
    hexadecimalPort << ':' << std::hex << std::uppercase << std::setw(4) << std::setfill('0') << port << ' ';
    const std::string mark = hexadecimalPort.str();
    for (const char* name : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream table(name);
        std::string line;
        std::getline(table, line);  // the names of the columns
        while (std::getline(table, line)) {
            if (line.find(mark) == std::string::npos) {
                continue;  // the table may be long
            }
            std::istringstream words(line);
            std::string number, local, remote, state, queues;
            words >> number >> local >> remote >> state >> queues;
            const bool sent = queues.starts_with("00000000:");
            const bool received = queues.ends_with(":00000000");  // of a listener: those that are not accepted yet
            if (portOf(local) == port) {
                if (!received && (hexadecimal(state) == established || hexadecimal(state) == listening)) {
                    return 0;
                }
                empty += hexadecimal(state) == established ? 1 : 0;
            } else if (portOf(remote) == port && !sent) {
                return 0;
            }
        }
    }
    return empty;
}

}  // namespace

bool allRead(int port, std::size_t connections, Deadline deadline) {
    return eventually([&] { return readEmpty(port) >= connections; }, deadline);
}

void waitUntilRead(int port, std::size_t connections, Deadline deadline) {
    if (!allRead(port, connections, deadline)) {
        throw std::runtime_error("not every request was read in time");
    }
}

}  // namespace lifecycle::test
