#include "catch.h"
#include "hello_server.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

Response ask(Connection& connection, const std::string& path) {
    connection.send(httpRequest("GET", path));
    return connection.readResponse(10s);
}

} // namespace

TEST_CASE("03: from the signal on it is alive and not ready") {
    const HelloServer server({"--lame-duck", "400ms"});
    server.stop();
    server.waitForEvent("readiness.off");
    CHECK(get(server.port(), "/readyz").status == 503);
    CHECK(get(server.port(), "/healthz").status == 200);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: an idle connection sees the 503 of readiness without a lame duck too") {
    const HelloServer server({"--keepalive-grace", "5s"});
    Connection connection = server.idle();
    server.stop();
    server.waitForEvent("readiness.off");
    CHECK(ask(connection, "/readyz").status == 503);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: every answer after the signal says that the connection closes") {
    const HelloServer server({"--lame-duck", "1s"});
    std::vector<Connection> before;
    const std::vector<std::string> paths{"/hello?work=1ms", "/hello?work=x", "/healthz", "/readyz",
                                         "/nope"};
    for (std::size_t i = 0; i < paths.size(); ++i) {
        before.push_back(server.idle());
    }
    Connection inFlight = server.working("/hello?work=300ms");
    server.stop();
    server.waitForEvent("readiness.off");

    for (std::size_t i = 0; i < paths.size(); ++i) {
        CAPTURE(paths[i]);
        Connection fresh = server.connect();
        for (Connection* connection : {&before[i], &fresh}) {
            const Response answer = ask(*connection, paths[i]);
            CHECK(answer.outcome == Outcome::complete);
            CHECK(answer.header("Connection") == "close");
            CHECK(connection->readBytes(1, 5s).outcome == Outcome::closed);
        }
    }
    CHECK(inFlight.readResponse(10s).header("Connection") == "close");
    Connection wrong = server.connect();
    wrong.send("nonsense\r\n\r\n");
    CHECK(wrong.readResponse(10s).header("Connection") == "close");
    CHECK(server.end().code == 0);
}
