#pragma once

#include "lifecycle/file_descriptor.h"

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lifecycle::test {

/// Stands between a client and a server, and can cut a connection at the worst moment: the server
/// has done what it was told, and its reply is on the way.
class RedisProxy {
public:
    /// Forwards to this port of 127.0.0.1.
    explicit RedisProxy(int serverPort);
    RedisProxy(const RedisProxy&) = delete;
    RedisProxy& operator=(const RedisProxy&) = delete;
    ~RedisProxy();

    int port() const { return port_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

    /// Instead of the next `count` replies, clients will see the end of their connections.
    void swallowReplies(int count) { to_swallow_ = count; }
    /// How many have been swallowed.
    int swallowed() const { return swallowed_; }

private:
    void acceptUntilStopped();
    void forward(int client);
    bool swallowsThis();

    const int serverPort_;
    FileDescriptor listener_;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<int> to_swallow_{0};
    std::atomic<int> swallowed_{0};
    std::mutex mutex_;
    std::vector<std::thread> connections_; // guarded by mutex_
    std::thread acceptor_;
};

} // namespace lifecycle::test
