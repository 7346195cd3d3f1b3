#pragma once

#include "flag.h"
#include "served.h"

#include <thread>

namespace lifecycle::test {

/// A shutdown on a thread of its own. It has a deadline far away, so that no test hangs.
class Shutdown {
public:
    explicit Shutdown(Served& server, Duration timeout = std::chrono::seconds(30))
        : thread_([this, &server, timeout] {
              result_ = server->shutdown(withTimeout(Context::background(), timeout, "time is up").context);
              returned_.set();
          }) {}
    ~Shutdown() {
        if (thread_.joinable()) {
            thread_.join();
        }
    }

    bool hasReturned() const { return returned_.isSet(); }

    ShutdownResult result() {
        thread_.join();
        return result_;
    }

private:
    ShutdownResult result_;
    Flag returned_;
    std::thread thread_;
};

/// The shutdown has closed the listener and waits.
inline bool drains(const Served& server) {
    return eventually([&] { return !server.events().all("drain.begin").empty(); }, std::chrono::seconds(10));
}

inline ShutdownResult shutdownWithin(Served& server, Duration timeout) {
    return server->shutdown(withTimeout(Context::background(), timeout, "time is up").context);
}

} // namespace lifecycle::test
