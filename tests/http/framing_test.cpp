// Where one request ends and the next one begins: RFC 9112, section 6. Who is behind a proxy and sees
// that elsewhere than the proxy does answers the wrong client.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "plain_server.h"
#include "served.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;

namespace {

const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

/// What looks like one request, or like nothing, to those who read carefully: with `hidden` in it.
std::vector<std::string> ambiguousRequests() {
    const std::string begin = "GET / HTTP/1.1\r\nHost: x\r\n";
    const std::string length = std::to_string(hidden.size());
    return {
        begin + "X: \xff\xff" + hidden,
        begin + "X: " + std::string(4094 - 5, 'x') + "\r\n" + hidden,
        begin + "a\n" + hidden,
        begin + "Transfer-Encoding: gzip, chunked\r\n\r\n" + hidden,
        begin + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + hidden,
        begin + "Transfer-Encoding : chunked\r\n\r\n" + hidden,
        begin + "Transfer-Encoding: =?utf-8?q?chunked?=\r\n\r\n0\r\n\r\n" + hidden,
        begin + "Content-Length: =?utf-8?q?0?=\r\n\r\n" + hidden,
        begin + "Content-Length:\r\n 0\r\n\r\n" + hidden,
        begin + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + hidden,
        begin + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + hidden,
        begin + "Content-Length: -5\r\n\r\n" + hidden,
        begin + "Content-Length: \r\n\r\n" + hidden,
        begin + "Content-Length: 0,0\r\n\r\n" + hidden,
        begin + "Content-Length: 0\r\nContent-Length: " + length + "\r\n\r\n" + hidden,
        "GET / FOO/1.0\r\n\r\n" + hidden,
        "GET / and more HTTP/1.1\r\n\r\n" + hidden,
        "GET /\r\n\r\n" + hidden,
        "GET / HTTP/2.0\r\n\r\n" + hidden,
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
        "GET  HTTP/1.1\r\nHost: x\r\n\r\n",      // Poco: a request for "HTTP/1.1"
        "GET /a\vb HTTP/1.1\r\nHost: x\r\n\r\n", // for "/a"
        "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /hid\xff" "den HTTP/1.1\r\nHost: x\r\n\r\n", // for "/hidden"
        begin + "X: a\xff" "b\r\n\r\n",
    };
}

/// How many of the ambiguous requests let plain Poco call a handler for what is hidden in them.
int hiddenForPlainServer(const std::vector<std::string>& requests) {
    std::atomic<int> found = 0;
    const PlainServer server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        found += request.getURI() == "/hidden" ? 1 : 0;
        answer(response, "hello\n");
    });
    for (const std::string& request : requests) {
        auto connection = Connection::to(server.port());
        connection.send(request);
        connection.halfClose();
        connection.readBytes(100'000, 10s);
    }
    return found;
}

} // namespace

TEST_CASE("library: an ambiguous header is refused and nothing hidden in it is executed as with plain Poco") {
    const auto requests = ambiguousRequests();
    const Served server(hello);
    for (const std::string& request : requests) {
        CAPTURE(request.substr(0, 100));
        auto connection = server.send(request);
        const Response response = connection.readResponse(10s);
        const bool refused = response.status == 400 || response.status == 501 || response.status == 505;
        CHECK(refused);
        CHECK(response.header("Connection") == "close");
        CHECK(response.version == "HTTP/1.1");
        connection.halfClose();
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
    CHECK(server.handlersMade() == 0);
    CHECK(hiddenForPlainServer(requests) > 0);
}

TEST_CASE("library: what is no request is told and counted nowhere") {
    Served server(hello);
    CHECK(server.send("nonsense\r\n\r\n").readResponse(10s).status == 400);
    CHECK(server.send(httpRequest("GET", "/")).readResponse(10s).status == 200);
    REQUIRE(server.events().all("request.malformed").size() == 1);
    CHECK(server.events().all("request.malformed")[0].number("status") == 400);
    const auto result = shutdownWithin(server, 10s);
    CHECK(result.served == 1);
    CHECK(result.refused == 0);
    CHECK(result.cut == 0);
}

TEST_CASE("library: lines that end with LF alone are understood") {
    const Served server(hello);
    auto connection = server.send("\r\nGET / HTTP/1.1\nHost: x\n\n" + httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).status == 200);
    CHECK(connection.readResponse(10s).status == 200);
}

TEST_CASE("library: a client that lists close among its options gets it") {
    const Served server(hello);
    for (const auto& request : {httpRequest("GET", "/", {{"Connection", "TE, Close"}}),
                                httpRequest("GET", "/", {{"Connection", "TE"}, {"Connection", "close"}})}) {
        auto connection = server.send(request);
        CHECK_FALSE(connection.readResponse(10s).keepsAlive());
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
}

TEST_CASE("library: an empty line behind a request is no beginning of another one") {
    Served server(hello);
    auto connection = server.send(httpRequest("POST", "/", {}, "body") + "\r\n");
    REQUIRE(connection.readResponse(10s).status == 200);
    REQUIRE(server.comesTo(ConnectionState::idle));
    connection.send("\r\n");
    REQUIRE(server.comesTo(ConnectionState::idle));
    connection.send("\r\n" + httpRequest("GET", "/"));
    REQUIRE(connection.readResponse(10s).status == 200);
    connection.send("\r\n");
    CHECK(shutdownWithin(server, 10s).took < 5s); // the grace, and not the deadline
}

TEST_CASE("library: a header line may be of any length") {
    const Handle fields = [](HTTPServerRequest& request, HTTPServerResponse& response) {
        answer(response, std::to_string(request.get("X").size()) + " " + request.get("Y"));
    };
    const auto answerTo = [](int port, std::size_t length) {
        auto connection = Connection::to(port);
        connection.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(length, 'x') + "\r\nY: z\r\n\r\n");
        return connection.readResponse(10s).body;
    };
    const std::string around = "X: \r\n";
    const Served server(fields);
    for (const std::size_t line : {4092, 4093, 4094, 4095, 8184, 8185, 8186, 8187}) {
        CHECK(answerTo(server.port(), line - around.size()) == std::to_string(line - around.size()) + " z");
    }
    const PlainServer plain(fields);
    CHECK(answerTo(plain.port(), 4095 - around.size()) == std::to_string(4095 - around.size()) + " z");
    CHECK(answerTo(plain.port(), 4094 - around.size()).empty());
}

TEST_CASE("library: a request line may be of any length up to 16 KiB") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        answer(response, request.getURI() + request.get("Y"));
    });
    const std::string around = "GET  HTTP/1.1\r\n";
    for (const std::size_t line : {4092, 4093, 4094, 4095, 8186, 12278, 16370}) {
        for (const std::string begin : {"/?at=12:30", "/?at=12"}) {
            CAPTURE(line, begin);
            const std::string target = begin + std::string(line - around.size() - begin.size(), 'x');
            auto connection = server.send("GET " + target + " HTTP/1.1\r\nHost: x\r\nY: z\r\n\r\n");
            const Response response = connection.readResponse(10s);
            CHECK(response.status == 200);
            CHECK(response.body == target + "z");
        }
    }
}

TEST_CASE("library: an empty line that came with a request does not hold the end") {
    Served server(hello);
    auto connection = server.send(httpRequest("POST", "/", {}, "body") + "\r\n");
    REQUIRE(connection.readResponse(10s).status == 200);
    const auto answeredAt = Clock::now();
    while (Clock::now() - answeredAt < 100ms) { // a worker looks for more in the first 20 of them
        REQUIRE(server.comesTo(ConnectionState::idle));
    }
    CHECK(shutdownWithin(server, 10s).took < 5s); // the grace, and not the deadline
}

TEST_CASE("library: empty lines do not renew the grace") {
    Served server(hello, {.keepAliveGrace = 200ms});
    auto connection = server.send(httpRequest("GET", "/"));
    REQUIRE(connection.readResponse(10s).status == 200);
    std::atomic<bool> ended = false;
    std::thread sender([&] {
        while (!ended) {
            connection.send("\r\n");
            std::this_thread::sleep_for(20ms); // more often than once in a grace
        }
    });
    CHECK(shutdownWithin(server, 10s).took < 5s);
    ended = true;
    sender.join();

    Served other(hello);
    auto flood = other.send(std::string(200'000, '\n'));
    CHECK(flood.readResponse(10s).status == 400);
}

TEST_CASE("library: a long header comes in one piece whatever the pieces it was sent in") {
    const Served server(hello);
    std::string request = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (int i = 0; i < 20; ++i) {
        request += "X-" + std::to_string(i) + ": " + std::string(1500, 'x') + "\r\n";
    }
    request += "\r\n";
    auto connection = server.send(request + request);
    CHECK(connection.readResponse(10s).status == 200);
    CHECK(connection.readResponse(10s).status == 200);
    for (std::size_t at = 0; at < request.size(); at += 1000) {
        connection.send(request.substr(at, 1000));
    }
    CHECK(connection.readResponse(10s).status == 200);
    auto endless = server.send("GET / HTTP/1.1\r\nX: " + std::string(200'000, 'x'));
    CHECK(endless.readResponse(10s).status == 431);
}

TEST_CASE("library: half a request behind a whole one is kept until the rest comes") {
    const Served server(echo);
    const std::string first = httpRequest("POST", "/", {}, "first");
    const std::string second = httpRequest("POST", "/", {}, "second");
    for (const std::size_t part : {std::size_t{1}, std::size_t{20}, second.size() - 3}) {
        CAPTURE(part);
        auto connection = server.send(first + second.substr(0, part));
        CHECK(connection.readResponse(10s).body == "first");
        connection.send(second.substr(part));
        CHECK(connection.readResponse(10s).body == "second");
    }
}

// With a thread for each connection, as in plain Poco, a client that does not go on keeps it.
TEST_CASE("library: half headers hold no thread and do not keep others waiting") {
    Served server(hello, {.threads = 1, .queue = 100});
    std::vector<Connection> halves;
    for (int i = 0; i < 10; ++i) {
        halves.push_back(server.send("GET / HTTP/1.1\r\nHost:"));
        halves.push_back(server.send(httpRequest("GET", "/") + "GET / HT"));
    }
    REQUIRE(server.comesTo(ConnectionState::reading, halves.size()));
    CHECK(get(server.port(), "/").status == 200);
    halves[0].send(" x\r\n\r\n");
    CHECK(halves[0].readResponse(10s).status == 200);

    Shutdown shutdown(server);
    CHECK(eventually([&] { return !server.events().all("drain.begin").empty(); }, 10s));
    halves[2].send(" x\r\n\r\n");
    CHECK(halves[2].readResponse(10s).status == 200);
    halves.clear();
    const auto result = shutdown.result();
    CHECK(result.cut == 0);
    CHECK(result.served == 13);

    const PlainServer plain(hello, 1);
    auto half = Connection::to(plain.port());
    half.send("GET / HTTP/1.1\r\nHost:");
    REQUIRE(eventually([&] { return plain.busyThreads() == 1; }, 10s));
    CHECK(get(plain.port(), "/", 300ms).outcome == Outcome::timeout);
    half.close();
}

TEST_CASE("library: a grace without end lasts until the deadline") {
    Served server(hello, {.keepAliveGrace = lifecycle::Duration::max()});
    auto idle = server.send(httpRequest("GET", "/"));
    REQUIRE(idle.readResponse(10s).status == 200);
    const auto begin = Clock::now();
    const auto result = shutdownWithin(server, 100ms);
    CHECK(Clock::now() - begin >= 100ms);
    CHECK(result.clean());
}
