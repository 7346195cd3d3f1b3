#include "catch.h"
#include "deadline.h"
#include "hello_server.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// A duration of a second or more, and less than a minute: "1.025s".
double seconds(const std::string& text) {
    REQUIRE(text.ends_with("s"));
    return std::stod(text);
}

double inSeconds(Clock::duration duration) {
    return std::chrono::duration<double>(duration).count();
}

} // namespace

TEST_CASE("03: the events tell the whole shutdown in its order") {
    const HelloServer server({"--lame-duck=50ms", "--timeout=10s"});
    Connection client = server.working("/hello?work=2500ms");
    server.stop();
    CHECK(client.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);

    std::vector<std::string> words;
    for (const Event& event : server.events()) {
        if (event.word != "drain.waiting" || words.back() != event.word) { // comes each second
            words.push_back(event.word);
        }
    }
    CHECK(words == std::vector<std::string>{
                       "ready", "request.begin", "signal", "shutdown.begin", "readiness.off",
                       "lame_duck.begin", "lame_duck.end", "listener.closed", "drain.begin",
                       "drain.waiting", "request.end", "drain.end", "shutdown.end", "exit"});
}

TEST_CASE("03: each event carries what its reader needs") {
    const HelloServer server({"--timeout=5s"});
    const auto connectedAfter = Clock::now();
    Connection client = server.working("/hello?work=2500ms");
    const auto askedAt = server.stop();
    CHECK(client.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);

    CHECK(server.waitForEvent("ready").number("pid") == server.pid());
    const Event signal = server.waitForEvent("signal");
    CHECK(signal.field("name") == "SIGTERM");
    CHECK(signal.number("number") == SIGTERM);
    CHECK(signal.number("sender_pid") == ::getpid());
    CHECK(signal.number("sender_uid") == ::getuid());
    CHECK(server.waitForEvent("shutdown.begin").field("cause") == "SIGTERM");
    CHECK(server.waitForEvent("shutdown.begin").field("deadline") == "5s");
    CHECK(server.waitForEvent("drain.begin").number("in_flight") == 1);

    const Event waiting = server.waitForEvent("drain.waiting");
    CHECK(waiting.number("in_flight") == 1);
    CHECK(waiting.field("method") == "GET");
    CHECK(waiting.field("path") == "/hello?work=2500ms");
    CHECK(waiting.field("peer") == "127.0.0.1:" + std::to_string(client.localPort()));
    CHECK(waiting.field("state") == "handling");
    constexpr double rounding = 0.001;
    CHECK(seconds(waiting.field("age")) >= 1); // it has been waited for that long
    CHECK(seconds(waiting.field("age")) <= inSeconds(waiting.arrivedAt - connectedAfter) + rounding);
    CHECK(seconds(waiting.field("remaining")) >= 5 - inSeconds(waiting.arrivedAt - askedAt) - rounding);
    CHECK(seconds(waiting.field("remaining")) <= 4);

    const Event end = server.waitForEvent("request.end");
    CHECK(end.number("status") == 200);
    CHECK(end.field("path") == "/hello?work=2500ms");
    CHECK(seconds(server.summary().field("took")) > 1);
    CHECK(seconds(server.summary().field("took")) < 10);
    CHECK(server.waitForEvent("exit").number("code") == 0);
}

TEST_CASE("03: the drain reports at most once a second and names the oldest request") {
    const HelloServer server({"--timeout=30s"});
    const Connection oldest = server.working("/hello?work=2m");
    const Connection newer = server.working("/hello?work=1m");
    server.stop();
    REQUIRE(eventually([&] { return server.events("drain.waiting").size() >= 2; }, 20s));
    const auto reports = server.events("drain.waiting");
    for (const Event& report : reports) {
        CHECK(report.field("path") == "/hello?work=2m");
        CHECK(report.number("in_flight") == 2);
    }
    const auto begin = server.waitForEvent("drain.begin").sinceStart;
    CHECK(reports[0].sinceStart - begin >= 999ms); // the log rounds to the millisecond
    CHECK(reports[1].sinceStart - begin >= 1999ms);
}

TEST_CASE("03: the drain names the client with half a header too") {
    const HelloServer server({"--timeout=2500ms"});
    Connection client = server.connect();
    client.send("GET /hel");
    get(server.port(), "/healthz");
    server.stop();
    CHECK(server.end().code == 0);
    const Event waiting = server.waitForEvent("drain.waiting");
    CHECK(waiting.field("state") == "reading");
    CHECK(waiting.field("peer") == "127.0.0.1:" + std::to_string(client.localPort()));
}

TEST_CASE("03: a hostile path cannot forge an event") {
    const HelloServer server;
    const std::vector<std::string> paths{
        "/\"", "/\\", "/a=b", "/\x1b[2J", "/%0A+0.001s%20exit%20code=0", "/\x7f",
        "/\x01\x02\x03", "/\xc2\xa0", "/\"code=\"0", "/" + std::string(5000, 'a'),
        "/" + std::string(5000, '"'), "/" + std::string(600, '\x02')};
    for (const std::string& path : paths) {
        Connection client = server.connect();
        client.send(httpRequest("GET", path, {{"Connection", "close"}}));
        CHECK(client.readResponse(5s).status >= 400);
    }
    for (const char* raw : {"GET /\r+0.001s exit code=0\n HTTP/1.1\r\n\r\n",
                            "GET /\n+0.001s exit code=0\n\n",
                            "GET /x\texit code=0 HTTP/1.1\r\n\r\n",
                            "GET / exit\r\n\r\n",
                            "EX\"IT=1 /hello HTTP/1.1\r\n\r\n", "G\x1b[2J / HTTP/1.1\r\n\r\n"}) {
        Connection client = server.connect();
        client.send(raw);
        client.halfClose();
        client.readResponse(5s);
    }
    server.stop();
    CHECK(server.end().code == 0);
    CHECK(server.events("exit").size() == 1);
    CHECK(server.events("request.begin").size() + server.events("request.malformed").size() >= paths.size());
    for (const CapturedLine& line : server.standardError()) {
        CAPTURE(line.text);
        CHECK(line.text.size() < 4096);
        CHECK(std::none_of(line.text.begin(), line.text.end(), [](unsigned char c) {
            return c < 0x20 || c == 0x7f;
        }));
    }
}

TEST_CASE("03: lines of many threads never mix") {
    const HelloServer server;
    std::vector<Connection> clients;
    for (int round = 0; round < 20; ++round) {
        clients.clear();
        for (int i = 0; i < 50; ++i) {
            clients.push_back(server.connect());
            clients.back().send(httpRequest("GET", "/hello?work=1ms"));
        }
        for (Connection& client : clients) {
            CHECK(client.readResponse(10s).status == 200);
        }
    }
    server.stop();
    CHECK(server.end().code == 0);
    CHECK(server.summary().number("served") == 1000);
}
