#pragma once

#include "http_client.h"
#include "process.h"
#include "temp_dir.h"

#include <csignal>
#include <memory>
#include <string>

namespace lifecycle::test {

/// A Redis of the test's own, on a free port, that keeps what it has acknowledged across a kill.
class RedisServer {
public:
    /// Is there a redis-server? If not, says so in the words that make CTest count the test as
    /// skipped: the test is to return then.
    static bool available();

    /// Returns when it answers.
    RedisServer();

    int port() const { return port_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

    /// What `GET key` says; 0 if there is no such key.
    long long value(const std::string& key = "counter") const;

    /// Ends it as a crash does.
    void kill();
    /// The same Redis again, with what it had. Returns when it answers.
    void start();
    /// It is there, and says nothing.
    void freeze() { process_->signal(SIGSTOP); }
    void thaw() { process_->signal(SIGCONT); }

private:
    bool answers() const;

    const TempDir directory_;
    int port_ = 0;
    std::unique_ptr<Process> process_;
};

/// Sends one command, such as "INCR counter", and returns the first line of the reply; nothing if
/// there is none.
std::string askRedis(int port, const std::string& command);

} // namespace lifecycle::test
