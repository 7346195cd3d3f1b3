#include "catch.h"
#include "moments.h"
#include "restart_server.h"

#include <cstdio>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

std::string chunked(const std::string& data) {
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", data.size());
    return size + data + "\r\n";
}

std::string someBytes(std::size_t count) {
    std::string bytes;
    for (std::size_t i = 0; i < count; ++i) {
        bytes.push_back(static_cast<char>(i * 7 + i / 251));
    }
    return bytes;
}

void checkAnswer(Connection& connection, const std::string& body) {
    const Response answer = connection.readResponse(30s);
    CHECK(answer.outcome == Outcome::complete);
    CHECK(answer.status == 200);
    CHECK(answer.body == body);
    CHECK_FALSE(answer.keepsAlive());
}

} // namespace

TEST_CASE("05: requests of every kind in flight at a restart end byte-exact from the old process") {
    RestartServer server({"--work=1s", "--rollback-window=100ms", "--keepalive-grace=1s"});
    const std::string old = "hello pid=" + std::to_string(server.pid()) + " generation=1\n";
    const std::string body = someBytes(100'000);

    Connection slow = server.connect();
    slow.send(httpRequest("GET", "/"));
    Connection stream = server.connect();
    stream.send(httpRequest("GET", "/stream?chunks=50&every=20ms"));
    Connection trickled = server.connect();
    const std::string upload = httpRequest("POST", "/echo", {}, body);
    trickled.send(upload.substr(0, 50'000));
    Connection inChunks = server.connect();
    inChunks.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body.substr(0, 10)));
    Connection halfHeader = server.connect();
    halfHeader.send("POST /echo HTTP/1.1\r\nHost: x\r\nConte");
    Connection expecting = server.connect();
    expecting.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
    const std::string goOn = "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK(expecting.readBytes(goOn.size(), 30s).bytes == goOn);
    REQUIRE(eventually([&] { return server->events("request.begin").size() == 5; }, 30s));

    server.restart(2);

    for (std::size_t at = 50'000; at < upload.size(); at += 10'000) {
        trickled.send(upload.substr(at, 10'000));
        std::this_thread::sleep_for(10ms); // what "trickled" means
    }
    inChunks.send(chunked(body.substr(10)) + "0\r\n\r\n");
    halfHeader.send("nt-Length: 3\r\n\r\nabc");
    expecting.send("body");
    std::string chunks;
    for (int i = 1; i <= 50; ++i) {
        chunks += "chunk " + std::to_string(i) + "\n";
    }
    checkAnswer(slow, old);
    checkAnswer(trickled, body);
    checkAnswer(inChunks, body);
    checkAnswer(halfHeader, "abc");
    checkAnswer(expecting, "body");
    // Its header was sent when nobody knew of a restart; the connection is closed all the same.
    const Response streamed = stream.readResponse(30s);
    CHECK(streamed.outcome == Outcome::complete);
    CHECK(streamed.body == chunks);

    CHECK(server->waitForExit(30s).code == 0);
    const Event report = server->waitForEvent("restart.report");
    CHECK(report.number("in_flight") == 6);
    CHECK(report.number("answered_with_close") == 5);
    CHECK(report.number("cut") == 0);
    CHECK(server.end() == 0);
}

TEST_CASE("05: an idle connection gets one more answer from the old process or is closed after the grace") {
    RestartServer server({"--rollback-window=100ms", "--keepalive-grace=1s"});
    const std::string old = "hello pid=" + std::to_string(server.pid()) + " generation=1\n";
    Connection asking = server.connect();
    Connection silent = server.connect();
    for (Connection* connection : {&asking, &silent}) {
        connection->send(httpRequest("GET", "/"));
        const Response answer = connection->readResponse(30s);
        CHECK(answer.body == old);
        REQUIRE(answer.keepsAlive());
    }
    const auto begin = Clock::now();
    server.restart(2);
    asking.send(httpRequest("GET", "/"));
    checkAnswer(asking, old);
    CHECK(asking.readBytes(1, 30s).outcome == Outcome::closed);

    const ReadResult end = silent.readBytes(1, 30s);
    CHECK(end.outcome == Outcome::closed);
    CHECK(end.finishedAt - begin >= 1s);
    CHECK(server->waitForExit(30s).code == 0);
    const Event report = server->waitForEvent("restart.report");
    CHECK(report.number("in_flight") == 0);
    CHECK(report.number("answered_with_close") == 1);
    CHECK(report.number("idle_closed") == 1);
    CHECK(report.number("old_pid") == server->pid());
    CHECK(report.number("new_pid") == server.pid());
}

TEST_CASE("05: what is left at the drain timeout is cut and the exit code says so") {
    RestartServer server({"--rollback-window=100ms", "--drain-timeout=300ms"});
    Connection endless = server.connect();
    endless.send(httpRequest("GET", "/hello?work=10m"));
    server->waitForEvent("request.begin");
    server.restart(2);
    CHECK(endless.readResponse(30s).outcome == Outcome::closed);
    CHECK(server->waitForExit(30s).code == 75);
    CHECK(server->waitForEvent("restart.report").number("cut") == 1);
    CHECK(server.greeting().find("generation=2") != std::string::npos);
    CHECK(server.end() == 0);
}

TEST_CASE("05: USR2 cuts what a draining process has left and is ignored by one that serves") {
    RestartServer server;
    server.signal(SIGUSR2);
    server->waitForEvent("hammer.ignored");
    Connection endless = server.connect();
    endless.send(httpRequest("GET", "/hello?work=10m"));
    server->waitForEvent("request.begin");
    server.restart(2);
    server->signal(SIGUSR2);
    CHECK(endless.readResponse(30s).outcome == Outcome::closed);
    CHECK(server->waitForExit(30s).code == 75);
    CHECK(server->waitForEvent("deadline.hit").field("cause") == "SIGUSR2");
    CHECK(server.end() == 0);
}
