#pragma once

#include "http_client.h"
#include "process.h"

#include <csignal>
#include <string>
#include <vector>

namespace lifecycle::test {

/// Stage 04 on free ports. Its constructor returns when clients are served.
class OrderServer : public Process {
public:
    /// `database` is the file to store in; `options` come behind the usual ones and win.
    explicit OrderServer(const std::string& database, const std::vector<std::string>& options = {},
                         ProcessOptions process = {});
    /// The same, started by the command `wrapper`, which ends in an exec of its arguments.
    OrderServer(const std::vector<std::string>& wrapper, const std::string& database,
                const std::vector<std::string>& options = {});

    int port() const { return port_; }
    int adminPort() const { return admin_port_; }

    /// POST /orders with this body, on a connection of its own.
    Response post(const std::string& body) const;
    /// The same with a good order.
    Response order() const { return post(R"({"item":"tea","quantity":1})"); }

    /// Posts good orders until the answer is `status`; false if it is not before the deadline.
    bool orderUntil(int status, Deadline deadline) const;

    /// A connection that has sent `GET target`, and the server works on it.
    Connection working(const std::string& target) const;

    /// GET from the admin server.
    Response admin(const std::string& target) const { return get(admin_port_, target); }

private:
    int port_;
    int admin_port_;
};

/// The command line of stage 04 on free ports.
std::vector<std::string> hooksCommand(const std::string& database, const std::vector<std::string>& options);

/// How many times longer things may take in this build.
constexpr int slower =
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    20;
#else
    1;
#endif

} // namespace lifecycle::test
