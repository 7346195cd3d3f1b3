#include "hello_server.h"

#include "catch.h"
#include "stage.h"
#include "story.h"

namespace lifecycle::test {

using namespace std::chrono_literals;

namespace {

std::vector<std::string> onFreePort(std::vector<std::string> options) {
    options.insert(options.begin(), {"--port", "0"});
    return options;
}

} // namespace

HelloServer::HelloServer(const std::vector<std::string>& options, ProcessOptions process)
    : Process(stage("03_http_shutdown", onFreePort(options)), std::move(process)),
      port_(static_cast<int>(waitForEvent("ready").number("port"))) {}

Connection HelloServer::connect() const {
    Connection connection = Connection::to(port_);
    REQUIRE_FALSE(connection.error());
    return connection;
}

Connection HelloServer::working(const std::string& target) const {
    Connection connection = connect();
    connection.send(httpRequest("GET", target));
    const std::string peer = "127.0.0.1:" + std::to_string(connection.localPort());
    waitForEvent("request.begin", 10s,
                 [&](const Event& event) { return event.field("peer") == peer; });
    return connection;
}

Connection HelloServer::idle() const {
    Connection connection = connect();
    connection.send(httpRequest("GET", "/healthz"));
    const Response answer = connection.readResponse(10s);
    REQUIRE(answer.status == 200);
    REQUIRE(answer.keepsAlive());
    return connection;
}

Clock::time_point HelloServer::stop(int number) const {
    const auto now = Clock::now();
    signal(number);
    return now;
}

ExitStatus HelloServer::end(Deadline deadline) const {
    const ExitStatus status = waitForExit(deadline);
    checkStory(*this);
    return status;
}

} // namespace lifecycle::test
