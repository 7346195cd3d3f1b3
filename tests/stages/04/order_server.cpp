#include "order_server.h"

#include "catch.h"
#include "stage.h"

namespace lifecycle::test {

using namespace std::chrono_literals;

std::vector<std::string> hooksCommand(const std::string& database, const std::vector<std::string>& options) {
    return wrapped(stage("04_hooks", {"--port=0", "--admin-port=0", "--db=" + database}), options);
}

OrderServer::OrderServer(const std::string& database, const std::vector<std::string>& options,
                         ProcessOptions process)
    : Process(hooksCommand(database, options), std::move(process)),
      port_(static_cast<int>(waitForEvent("ready").number("port"))),
      admin_port_(static_cast<int>(waitForEvent("ready").number("admin_port"))) {}

OrderServer::OrderServer(const std::vector<std::string>& wrapper, const std::string& database,
                         const std::vector<std::string>& options)
    : Process(wrapped(wrapper, hooksCommand(database, options))),
      port_(static_cast<int>(waitForEvent("ready").number("port"))),
      admin_port_(static_cast<int>(waitForEvent("ready").number("admin_port"))) {}

Response OrderServer::post(const std::string& body) const {
    Connection connection = Connection::to(port_);
    connection.send(
        httpRequest("POST", "/orders", {{"Connection", "close"}, {"Content-Type", "application/json"}}, body));
    return connection.readResponse(10s);
}

bool OrderServer::orderUntil(int status, Deadline deadline) const {
    return eventually([&] { return order().status == status; }, deadline);
}

Connection OrderServer::working(const std::string& target) const {
    Connection connection = Connection::to(port_);
    REQUIRE_FALSE(connection.error());
    connection.send(httpRequest("GET", target));
    const std::string peer = "127.0.0.1:" + std::to_string(connection.localPort());
    waitForEvent("request.begin", 10s, [&](const Event& event) { return event.field("peer") == peer; });
    return connection;
}

} // namespace lifecycle::test
