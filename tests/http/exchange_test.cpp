// How an HttpServer reads requests, good and bad, and keeps or closes their connections.

#include "catch.h"
#include "served.h"

#include <Poco/Net/StreamSocket.h>
#include <Poco/StreamCopier.h>

#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("library: a keep-alive connection is served again and again") {
    const Served server(hello);
    auto connection = Connection::to(server.port());
    for (int i = 0; i < 100; ++i) {
        connection.send(httpRequest("GET", "/"));
        const Response response = connection.readResponse(10s);
        REQUIRE(response.status == 200);
        REQUIRE(response.body == "hello\n");
        REQUIRE(response.keepsAlive());
    }
}

TEST_CASE("library: pipelined requests are answered in their order") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        answer(response, request.getURI());
    });
    auto connection = server.send(httpRequest("GET", "/1") + httpRequest("GET", "/2") + httpRequest("GET", "/3"));
    for (const std::string path : {"/1", "/2", "/3"}) {
        CHECK(connection.readResponse(10s).body == path);
    }
    CHECK_FALSE(connection.closedByServer());
}

TEST_CASE("library: a client of HTTP 1.0 is answered and its connection closed") {
    const Served server(hello);
    auto connection = server.send("GET / HTTP/1.0\r\n\r\n");
    const Response response = connection.readResponse(10s);
    CHECK(response.status == 200);
    CHECK(response.version == "HTTP/1.0");
    CHECK(response.body == "hello\n");
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
}

TEST_CASE("library: a client that asks for close gets it") {
    const Served server(hello);
    auto connection = server.send(httpRequest("GET", "/", {{"Connection", "close"}}));
    CHECK_FALSE(connection.readResponse(10s).keepsAlive());
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
}

TEST_CASE("library: the answer to HEAD has no body") {
    const Served server(hello);
    auto connection = server.send(httpRequest("HEAD", "/"));
    const Response head = connection.readResponse(10s, false);
    CHECK(head.status == 200);
    CHECK(head.header("Content-Length") == "6");
    connection.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).body == "hello\n");
}

TEST_CASE("library: a body is read whole with a length and in chunks") {
    const Served server(echo);
    const std::string large(1'000'000, 'x');
    auto connection = server.send(httpRequest("POST", "/", {}, large));
    CHECK(connection.readResponse(20s).body == large);
    connection.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    const Response response = connection.readResponse(10s);
    CHECK(response.body == "abcde");
    CHECK(response.keepsAlive());
}

TEST_CASE("library: a request without a length has no body and keeps its connection") {
    const Served server(echo);
    auto connection = server.send(httpRequest("POST", "/") + httpRequest("OPTIONS", "/") + httpRequest("PUT", "/"));
    for (int i = 0; i < 3; ++i) {
        const Response response = connection.readResponse(10s);
        CHECK(response.status == 200);
        CHECK(response.body.empty());
        CHECK(response.keepsAlive());
    }
}

TEST_CASE("library: an upgrade of a connection is one even when the server is closing") {
    Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        response.set("Connection", "Upgrade");
        takeOver(request, response);
    });
    server->announceShutdown();
    auto connection = server.send(httpRequest("GET", "/"));
    CHECK(connection.readBytes(12, 10s).bytes == "HTTP/1.1 101");
    CHECK(connection.readBytes(10'000, 10s).bytes.find("Connection: Upgrade\r\n") != std::string::npos);
}

TEST_CASE("library: a client of HTTP 1.0 is not told to continue") {
    const Served server(echo);
    auto connection = server.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\ntea");
    CHECK(connection.readBytes(12, 10s).bytes == "HTTP/1.0 200");
}

TEST_CASE("library: a client that expects 100 is told to continue") {
    const Served server(echo);
    auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                                  "Content-Length: 4\r\n\r\n");
    const std::string expected = "HTTP/1.1 100 Continue\r\n\r\n";
    CHECK(connection.readBytes(expected.size(), 10s).bytes == expected);
    connection.send("body");
    CHECK(connection.readResponse(10s).body == "body");
}

TEST_CASE("library: a small body that the handler leaves unread does not become a request") {
    const Served server(hello);
    auto connection = server.send(httpRequest("POST", "/", {}, "GET /smuggled HTTP/1.1\r\n\r\n"));
    CHECK(connection.readResponse(10s).status == 200);
    connection.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).status == 200);
    CHECK(server.handlersMade() == 2);
}

TEST_CASE("library: a large body that the handler leaves unread does not reset the answer") {
    const Served server(hello);
    const std::string body(3'000'000, 'x');
    auto connection = Connection::to(server.port());
    std::thread sender([&] { connection.send(httpRequest("POST", "/", {}, body), 2s); });
    sender.join(); // the kernel and the server take it, or it fails once the server is done with it
    const Response response = connection.readResponse(10s);
    CHECK(response.outcome == Outcome::complete);
    CHECK(response.status == 200);
    CHECK(connection.readBytes(1, 10s).outcome != Outcome::complete);
    CHECK(server.handlersMade() == 1);
}

TEST_CASE("library: a body that never comes does not hold the answer") {
    const Served server(hello);
    auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of");
    const Response response = connection.readResponse(10s);
    CHECK(response.status == 200);
    CHECK(server.handlersMade() == 1);
}

TEST_CASE("library: garbage is answered 400 and the connection closed") {
    const Served server(hello);
    for (const std::string& garbage :
         {std::string("nonsense\r\n\r\n"), std::string("GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n"),
          std::string("\x16\x03\x01\x02\r\n\r\n"), "GET /" + std::string(100'000, '\x01')}) {
        CAPTURE(garbage.substr(0, 50));
        auto connection = server.send(garbage);
        const Response response = connection.readResponse(10s);
        CHECK(response.status == 400);
        CHECK(response.header("Connection") == "close");
        connection.halfClose();
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
    CHECK(server.handlersMade() == 0);
}

TEST_CASE("library: a header cut off by the client's end is not executed") {
    const Served server(hello);
    for (const std::string half : {"GET / HT", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n",
                                   "POST / HTTP/1.1\r\nContent-Length: 0"}) {
        auto connection = server.send(half);
        connection.halfClose();
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
    CHECK(server.handlersMade() == 0);
}

TEST_CASE("library: a client that closes its side after the request is answered") {
    const Served server(hello);
    auto connection = server.send(httpRequest("GET", "/") + httpRequest("GET", "/"));
    connection.halfClose();
    CHECK(connection.readResponse(10s).status == 200);
    CHECK(connection.readResponse(10s).status == 200);
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
}

TEST_CASE("library: a handler can tell a body that ends early from a whole one") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        std::string body;
        Poco::StreamCopier::copyToString(request.stream(), body);
        answer(response, lifecycle::endedEarly(request) ? "early " + body : "whole " + body);
    });
    const auto bodyAnswered = [&](const std::string& rest) {
        auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\n" + rest);
        connection.halfClose();
        return connection.readResponse(10s).body;
    };
    CHECK(bodyAnswered("Content-Length: 3\r\n\r\ntea") == "whole tea");
    CHECK(bodyAnswered("Content-Length: 4\r\n\r\ntea") == "early tea");
    CHECK(bodyAnswered("Transfer-Encoding: chunked\r\n\r\n3\r\ntea\r\n0\r\n\r\n") == "whole tea");
    CHECK(bodyAnswered("Transfer-Encoding: chunked\r\n\r\n3\r\ntea\r\n") == "early tea");
    CHECK(bodyAnswered("Transfer-Encoding: chunked\r\n\r\n5\r\ntea") == "early tea");
    CHECK(bodyAnswered("Transfer-Encoding: chunked\r\n\r\n3\r\ntea\r\n0") == "early tea");
}

TEST_CASE("library: a header may not trickle for longer than the limit") {
    const Served server(hello, {.ioTimeout = 100ms});
    auto connection = server.send("GET / HTTP/1.1\r\n");
    const auto begin = Clock::now();
    bool closed = false;
    while (!closed && Clock::now() < begin + 10s) {
        connection.send("X: y\r\n");
        closed = connection.readBytes(1, 20ms).outcome != Outcome::timeout;
    }
    CHECK(closed);
    CHECK(server.handlersMade() == 0);
}

TEST_CASE("library: an idle connection is closed at its time limit and not before") {
    const Served server(hello, {.keepAliveTimeout = 150ms});
    const auto begin = Clock::now();
    auto connection = server.send(httpRequest("GET", "/"));
    const Response response = connection.readResponse(10s);
    CHECK(response.keepsAlive());
    CHECK(response.header("Keep-Alive").empty()); // which counts in whole seconds
    const ReadResult end = connection.readBytes(1, 10s);
    CHECK(end.outcome == Outcome::closed);
    CHECK(end.finishedAt - begin >= 150ms);
}

TEST_CASE("library: a response that keeps the connection names the idle limit") {
    const auto hintOf = [](const Served& server, const std::string& request) {
        return server.send(request).readResponse(10s).header("Keep-Alive");
    };
    Served server(hello);
    CHECK(hintOf(server, httpRequest("GET", "/")) == "timeout=75"); // above the 60 s of load balancers
    CHECK(hintOf(server, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") == "timeout=75");
    CHECK(hintOf(server, httpRequest("GET", "/", {{"Connection", "close"}})).empty());
    CHECK(hintOf(server, "nonsense\r\n\r\n").empty());
    server->announceShutdown();
    CHECK(hintOf(server, httpRequest("GET", "/")).empty());
    const Served other(hello, {.keepAliveTimeout = 3900ms});
    CHECK(hintOf(other, httpRequest("GET", "/")) == "timeout=3");
}

TEST_CASE("library: with an idle limit of zero each response says that the connection ends") {
    const Served server(hello, {.keepAliveTimeout = 0ms});
    for (int i = 0; i < 10; ++i) {
        auto connection = server.send(httpRequest("GET", "/"));
        CHECK_FALSE(connection.readResponse(10s).keepsAlive());
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
}
