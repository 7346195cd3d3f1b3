#include "connection_tracking.h"

#include <chrono>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>

#include "deadline.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

long read(const std::string& name, long otherwise) {
    std::ifstream file("/proc/sys/net/netfilter/" + name);
    long value = 0;
    return file >> value ? value : otherwise;
}

long room() {
    return read("nf_conntrack_max", std::numeric_limits<long>::max()) -
           read("nf_conntrack_count", 0);
}

}  // namespace

void waitForRoomToConnect(long connections) {
    const test::Deadline deadline = 3min;
    while (room() < connections) {
        if (deadline.passed()) {
            throw std::runtime_error("the kernel's table of connections (nf_conntrack) stays full");
        }
        std::this_thread::sleep_for(500ms);  // nothing tells when there is room
    }
}

}  // namespace lifecycle::bench
