#include "another_user.h"
#include "catch.h"
#include "hello_server.h"
#include "load.h"
#include "moments.h"
#include "port_reservation.h"
#include "proc.h"
#include "receive_queues.h"
#include "skip.h"
#include "stage.h"
#include "time_limit.h"

#include "lifecycle/file_descriptor.h"

#include <pty.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <string>
#include <system_error>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

const std::string body(200'000, 'x');

} // namespace

TEST_CASE("03: a body that nobody reads is not taken for the next request") {
    const std::string hidden = "GET /hidden HTTP/1.1\r\n\r\n";
    for (const std::string& request :
         {httpRequest("POST", "/hello", {}, hidden), httpRequest("GET", "/healthz", {}, hidden),
          httpRequest("POST", "/hello", {{"Transfer-Encoding", "chunked"}}) + "18\r\n" + hidden +
              "\r\n0\r\n\r\n"}) {
        CAPTURE(request);
        const HelloServer server;
        Connection client = server.connect();
        client.send(request);
        const Response answer = client.readResponse(5s);
        CHECK(answer.status == (request.front() == 'P' ? 405 : 200));
        if (answer.keepsAlive()) {
            client.send(httpRequest("GET", "/healthz"));
            CHECK(client.readResponse(5s).status == 200);
        }
        server.stop();
        CHECK(server.end().code == 0);
        for (const Event& event : server.events("request.begin")) {
            CHECK(event.field("path") != "/hidden");
        }
    }
}

TEST_CASE("03: a large body left unread does not reset its sender") {
    const HelloServer server;
    for (int i = 0; i < 20; ++i) {
        Connection client = server.connect();
        CHECK_FALSE(client.send(httpRequest("POST", "/hello", {}, body)));
        const Response answer = client.readResponse(5s);
        CHECK(answer.outcome == Outcome::complete);
        CHECK(answer.status == 405);
        CHECK(client.readBytes(1, 5s).outcome == Outcome::closed);
    }
}

TEST_CASE("03: an upload that never ends does not hold the drain") {
    const HelloServer server;
    Connection client = server.connect();
    client.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nsome");
    CHECK(client.readResponse(5s).status == 405);
    const auto askedAt = server.stop();
    const ExitStatus status = server.end();
    CHECK(status.code == 0);
    CHECK(status.at - askedAt <= 100ms + limit(2s)); // the grace
}

TEST_CASE("03: an upload of endless speed does not keep other clients waiting") {
    const HelloServer server;
    std::vector<std::thread> senders;
    std::atomic<bool> done = false;
    for (int i = 0; i < 2; ++i) {
        senders.emplace_back([&] {
            Connection client = Connection::to(server.port());
            client.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n");
            while (!done && !client.send(body, 100ms)) {
            }
        });
    }
    Clock::duration longest{};
    for (int i = 0; i < 20; ++i) {
        const auto begin = Clock::now();
        CHECK(get(server.port(), "/healthz", 5s).status == 200);
        longest = std::max(longest, Clock::now() - begin);
    }
    done = true;
    for (std::thread& sender : senders) {
        sender.join();
    }
    CAPTURE(milliseconds(longest));
    CHECK(longest < limit(500ms));
    server.stop();
    CHECK(server.end().code == 0);
}

TEST_CASE("03: an answer is not lost by a request sent behind it") {
    const HelloServer server;
    for (int i = 0; i < 10; ++i) {
        Connection client = server.connect();
        client.send(httpRequest("GET", "/hello?work=20ms", {{"Connection", "close"}}));
        client.send(httpRequest("GET", "/hello?work=20ms"));
        CHECK(client.readResponse(5s).status == 200);
        CHECK(client.readBytes(1, 5s).outcome == Outcome::closed);
    }
}

TEST_CASE("03: an answer of the drain is not lost by a request sent behind it") {
    const HelloServer server;
    Connection client = server.working("/hello?work=200ms");
    client.send(httpRequest("GET", "/hello?work=20ms"));
    server.stop();
    const Response answer = client.readResponse(5s);
    CHECK(answer.status == 200);
    CHECK(answer.header("Connection") == "close");
    CHECK(client.readBytes(1, 5s).outcome == Outcome::closed);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: clients that reset their connections disturb nobody") {
    const HelloServer server;
    for (int i = 0; i < 50; ++i) {
        Connection before = server.connect();
        before.reset();
        Connection within = server.connect();
        within.send("GET /hello HT");
        within.reset();
        Connection after = server.connect();
        after.send(httpRequest("GET", "/hello?work=1ms"));
        after.reset();
    }
    Connection waiting = server.working("/hello?work=100ms");
    server.working("/hello?work=50ms").reset();
    CHECK(get(server.port(), "/healthz").status == 200);
    server.stop();
    CHECK(waiting.readResponse(10s).status == 200);
    CHECK(server.end().code == 0);
}

TEST_CASE("03: a client that hung up during the drain does not hold it") {
    const HelloServer server;
    Connection gone = server.working("/hello?work=200ms");
    server.stop();
    server.waitForEvent("drain.begin");
    gone.reset();
    CHECK(server.end(5s).code == 0);
}

TEST_CASE("03: a client that does not read its answers is cut at the deadline") {
    // Thousands of answers fit into the buffers; nobody wants their events.
    const Process server(
        afterShell("exec 2>/dev/null", stage("03_http_shutdown", {"--port=0", "--timeout=300ms"})));
    REQUIRE(eventually([&] { return listeningPort(server.pid()) != 0; }, 10s));
    Connection client = Connection::to(listeningPort(server.pid()), 5s, {.receiveBuffer = 4096});
    std::string many;
    for (int i = 0; i < 200'000; ++i) {
        many += httpRequest("GET", "/healthz");
    }
    std::error_code error;
    std::thread sender([&] { error = client.send(many, 90s); });
    // It sleeps though there is more to read: it waits for us in the middle of an answer.
    const auto waitsForUs = [&] {
        return allThreadsSleep(server.pid()) && !allRead(listeningPort(server.pid()), 1, 0s);
    };
    const bool blocked = eventually([&] { return waitsForUs() && waitsForUs() && waitsForUs(); }, 60s);

    const auto askedAt = Clock::now();
    server.signal(SIGTERM);
    const ExitStatus status = server.waitForExit(10s);
    sender.join();
    CHECK(blocked);
    CHECK(error); // not all was sent
    CHECK(status.code == 75);
    CHECK(status.at - askedAt <= 300ms + limit(2s));
}

TEST_CASE("03: a log on an unread terminal of another user delays neither a client nor the exit") {
    if (::geteuid() != 0) {
        skip("only root can become another user");
        return;
    }
    std::array<int, 2> ends{};
    std::array<char, 64> name{};
    REQUIRE(::openpty(&ends[0], &ends[1], name.data(), nullptr, nullptr) == 0);
    const lifecycle::FileDescriptor unread(ends[0]);
    const lifecycle::FileDescriptor terminal(ends[1]);
    const PortReservation port; // in a container, root may not see which one another user's process has taken
    const Process server(
        afterShell("exec 2>" + std::string(name.data()),
                   wrapped(asAnotherUser(), stage("03_http_shutdown", {"--port", std::to_string(port.port())}))));
    REQUIRE(eventually([&] { return !Connection::to(port.port()).error(); }, 10s));
    for (int i = 0; i < 100; ++i) { // their events are more than a terminal takes
        REQUIRE(get(port.port(), "/hello?work=0s").status == 200);
    }
    server.signal(SIGTERM);
    CHECK(server.waitForExit(10s).code == 0);
}
