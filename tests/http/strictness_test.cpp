// Malformed requests, and the responses to them: RFC 9112, sections 2 and 3.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "served.h"

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// The status of the response to what is sent on a new connection, whose sending side stays open.
int statusFor(const Served& server, const std::string& bytes) {
    return server.send(bytes).readResponse(10s).status;
}

std::string withFields(const std::string& fields, const std::string& version = "HTTP/1.1") {
    return "GET / " + version + "\r\n" + fields + "\r\n";
}

std::string withTarget(const std::string& target, const std::string& method = "GET") {
    return method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

} // namespace

TEST_CASE("library: what cannot become a request any more is answered 400 at once and not counted") {
    const std::string tls = std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(506, '\xaa');
    const std::vector<std::string> beginnings{
        tls,
        "\x16",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "*1\r\n",
        "HELO mail\r\n",
        "PROXY TCP4 1",
        std::string("\0\0\0\x08", 4),
        "\r\n\r\n GET",
        "GET  ",
        "GET /\r\n",
        "GET /\x01",
        "GET / FTP",
        "GET / HTTP/1.1x",
        "GET / HTTP/1.1 ",
        std::string(33, 'X'),
        "GET / HTTP/1.1\r\nno colon\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n",
        "GET / HTTP/1.1\r\nX: \x01\r\n",
    };
    Served server(hello);
    for (const std::string& beginning : beginnings) {
        CAPTURE(beginning.substr(0, 40));
        auto connection = server.send(beginning);
        const Response response = connection.readResponse(10s);
        CHECK(response.status == 400);
        CHECK(response.header("Connection") == "close");
        CHECK_FALSE(response.header("Date").empty());
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
    // The same byte by byte: no response before the wrong byte.
    auto slow = server.send("GET / HTTP/1.");
    REQUIRE(server.comesTo(lifecycle::ConnectionState::reading));
    slow.send("x");
    CHECK(slow.readResponse(10s).status == 400);

    CHECK(server.events().all("request.malformed").size() == beginnings.size() + 1);
    const auto result = shutdownWithin(server, 10s);
    CHECK(result.served + result.refused + result.cut == 0);
    CHECK(result.took < 5s);
}

TEST_CASE("library: a request without a valid Host is answered 400") {
    const Served server(hello);
    for (const std::string bad : {"", "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n",
                                  "Host: a:xyz\r\n", "Host: a,b\r\nhost: a\r\n", "Host: :80\r\n", "Host: [::1\r\n",
                                  "Host: []\r\n", "Host: a\xc3\xa4\r\n", "Host: a:1:2\r\n"}) {
        CAPTURE(bad);
        CHECK(statusFor(server, withFields(bad)) == 400);
    }
    for (const std::string good : {"Host: a\r\n", "Host:\r\n", "Host: a:80\r\n", "Host: a:\r\n", "Host: [::1]:80\r\n",
                                   "hOST: my_service.local\r\n", "Host: 127.0.0.1\r\n", "Host:a%20b\r\n"}) {
        CAPTURE(good);
        CHECK(statusFor(server, withFields(good)) == 200);
    }
    CHECK(statusFor(server, withFields("Host: a\r\nX:\r\nY: \t \r\n")) == 200); // an empty value is one
    CHECK(statusFor(server, withFields("", "HTTP/1.0")) == 200);
    CHECK(statusFor(server, withFields("Host: a\r\nHost: a\r\n", "HTTP/1.0")) == 400);
}

TEST_CASE("library: each kind of malformed request has its status, with a date") {
    const Served server(hello);
    const auto check = [&](const std::string& request, int status) {
        CAPTURE(request.substr(0, 60));
        const Response response = server.send(request).readResponse(10s);
        CHECK(response.status == status);
        CHECK_FALSE(response.header("Date").empty());
    };
    check("GET /" + std::string(70'000, 'x'), 414);
    check(withTarget("/" + std::string(16 * 1024, 'x')), 414);
    check(withTarget("/" + std::string(16 * 1024 - 1, 'x')), 200);
    check("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x'), 431);
    std::string many;
    for (int i = 0; i < 100; ++i) {
        many += "X: y\r\n";
    }
    check(withFields("Host: x\r\n" + many), 431);
    check(withFields("Host: x\r\n", "HTTP/1.1x"), 400);
    check(withFields("Host: x\r\n", "http/1.1"), 400);
    check(withFields("Host: x\r\n", "HTTP/2.0"), 505);
    check(withFields("Host: x\r\n", "HTTP/1.2"), 505);
    check("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505); // HTTP/2 with prior knowledge
    check(withFields("Host: x\r\nTransfer-Encoding: gzip\r\n"), 501);
    check(withFields("Host: x\r\nTransfer-Encoding: chunked\r\n", "HTTP/1.0"), 400);
    check(withFields("Host: x\r\nContent-Length: 9223372036854775808\r\n"), 400);
}

TEST_CASE("library: no control character reaches a handler in a header field") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        answer(response, request.get("X", ""));
    });
    for (int c = 0; c < 256; ++c) {
        CAPTURE(c);
        const bool allowed = c == '\t' || (c >= ' ' && c != 0x7f && c != 0xff);
        const std::string value = {'a', static_cast<char>(c), 'b'};
        if (c != '\n') { // which ends the line
            CHECK(statusFor(server, withFields("Host: x\r\nX: " + value + "\r\n")) == (allowed ? 200 : 400));
        }
    }
    // Poco decodes this into the end of a line, for a handler to copy into its response.
    const std::string encoded = "=?utf-8?q?a=0d=0aSet-Cookie:_b?=";
    CHECK(server.send(withFields("Host: x\r\nX: " + encoded + "\r\n")).readResponse(10s).body == encoded);
}

TEST_CASE("library: a target has the form that its method allows") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        answer(response, request.getURI() + " " + request.getHost());
    });
    for (const std::string good : {"/", "/a?b#c", "//a", "http://y", "http://y:80/a", "HTTP://[::1]/?b"}) {
        CAPTURE(good);
        CHECK(statusFor(server, withTarget(good)) == 200);
    }
    for (const std::string bad : {"hello", "*", "?a", "y:80", "http:/y", "http://", "http:///a", "http://u@y/",
                                  "://y", "http://y:z/"}) {
        CAPTURE(bad);
        CHECK(statusFor(server, withTarget(bad)) == 400);
    }
    CHECK(statusFor(server, withTarget("*", "OPTIONS")) == 200);
    CHECK(statusFor(server, withTarget("y:80", "CONNECT")) == 200);
    for (const std::string bad : {"y", "y:", "/", "[::1]", "http://y:80"}) {
        CAPTURE(bad);
        CHECK(statusFor(server, withTarget(bad, "CONNECT")) == 400);
    }
    // What a client sends after its CONNECT has succeeded is not a request.
    CHECK_FALSE(server.send(withTarget("y:80", "CONNECT")).readResponse(10s).keepsAlive());
    // RFC 9112, 3.2.2.
    CHECK(server.send(withTarget("http://y:80/a")).readResponse(10s).body == "http://y:80/a y:80");
}
