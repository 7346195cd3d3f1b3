#include "idle_connections.h"

#include <sys/resource.h>

#include <chrono>
#include <stdexcept>

namespace lifecycle::bench {

using namespace std::chrono_literals;

IdleConnections::IdleConnections(int port, int count) {
    bool allAnswered = true;
    for (int i = 0; i < count; ++i) {
        test::Connection& connection = connections_.emplace_back(test::Connection::to(port));
        if (connection.error()) {
            throw std::runtime_error("cannot connect: " + connection.error().message());
        }
        connection.send(test::httpRequest("GET", "/hello?work=0s"));
        // Once one had to wait for a thread, so have those behind it.
        const test::Response response = connection.readResponse(allAnswered ? 1s : 1ms);
        allAnswered = allAnswered && response.status == 200;
        answered_ += response.status == 200 ? 1 : 0;
    }
}

void raiseDescriptorLimit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace lifecycle::bench
