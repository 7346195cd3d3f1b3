#include "catch.h"
#include "http_response.h"

using lifecycle::test::Clock;
using lifecycle::test::Outcome;
using lifecycle::test::Response;
using lifecycle::test::ResponseParser;

namespace {

/// Feeds `text` one byte at a time; returns what is left over when the response is complete.
std::string feedBytewise(ResponseParser& parser, const std::string& text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        bytes += text[i];
        if (parser.feed(bytes, Clock::now())) {
            return bytes + text.substr(i + 1);
        }
    }
    return bytes;
}

} // namespace

TEST_CASE("support: a response with a length ends behind its body") {
    ResponseParser parser;
    const auto rest = feedBytewise(parser, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n"
                                           "X-Two: a\r\nx-two:b\r\n\r\nhello\nHTTP");
    const Response& response = parser.response();
    CHECK(response.outcome == Outcome::complete);
    CHECK(response.status == 200);
    CHECK(response.header("content-LENGTH") == "6");
    CHECK(response.header("X-Two") == "a, b");
    CHECK(response.header("X-None").empty());
    CHECK(response.body == "hello\n");
    CHECK(rest == "HTTP");
    CHECK(response.firstByteAt <= response.finishedAt);
}

TEST_CASE("support: a chunked response ends behind its trailers") {
    ResponseParser parser;
    const auto rest = feedBytewise(parser, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                           "5\r\nhello\r\nA;x=y\r\n, chunked!\r\n"
                                           "0\r\nT: 1\r\n\r\n!");
    CHECK(parser.response().outcome == Outcome::complete);
    CHECK(parser.response().body == "hello, chunked!");
    CHECK(rest == "!");
}

TEST_CASE("support: a response without a length ends with the connection") {
    ResponseParser parser;
    feedBytewise(parser, "HTTP/1.0 200 OK\r\n\r\nall of it");
    CHECK(parser.response().outcome == Outcome::timeout);
    parser.end(false, Clock::now());
    CHECK(parser.response().outcome == Outcome::complete);
    CHECK(parser.response().body == "all of it");
}

TEST_CASE("support: of a body without an end only the beginning is kept") {
    ResponseParser parser(true, 10);
    const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string bytes = head;
    for (int i = 0; i < 100; ++i) {
        bytes += "10\r\n0123456789abcdef\r\n";
        CHECK_FALSE(parser.feed(bytes, Clock::now()));
        CHECK(bytes.empty());
    }
    CHECK(parser.response().body == "0123456789");
    CHECK(parser.response().bodySize == 1600);

    for (const std::string& start : {std::string("HTTP/1.1 200 OK\r\nX: "), head}) {
        ResponseParser endless;
        bytes = start + std::string(2 * 1024 * 1024, 'a');
        CHECK(endless.feed(bytes, Clock::now()));
        CHECK(endless.response().outcome == Outcome::malformed);
    }
    ResponseParser overflowing;
    bytes = head + "ffffffffffffffff\r\nabc";
    CHECK(overflowing.feed(bytes, Clock::now()));
    CHECK(overflowing.response().outcome == Outcome::malformed);
}

TEST_CASE("support: responses that never have a body end behind their header") {
    ResponseParser no_content;
    CHECK(feedBytewise(no_content, "HTTP/1.1 204 No Content\r\n\r\nx") == "x");
    ResponseParser toHead(false);
    CHECK(feedBytewise(toHead, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nx") == "x");
    CHECK(toHead.response().outcome == Outcome::complete);
}

TEST_CASE("support: an interim response is passed over") {
    ResponseParser parser;
    feedBytewise(parser, "HTTP/1.1 100 Continue\r\n\r\n"
                         "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    CHECK(parser.response().outcome == Outcome::complete);
    CHECK(parser.response().status == 503);
}

TEST_CASE("support: the end of the connection tells closed from truncated from reset") {
    ResponseParser closed;
    closed.end(false, Clock::now());
    CHECK(closed.response().outcome == Outcome::closed);

    ResponseParser truncated;
    feedBytewise(truncated, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhel");
    truncated.end(false, Clock::now());
    CHECK(truncated.response().outcome == Outcome::truncated);
    CHECK(truncated.response().body == "hel");

    ResponseParser reset;
    reset.end(true, Clock::now());
    CHECK(reset.response().outcome == Outcome::reset);
}

TEST_CASE("support: what is no HTTP is malformed") {
    for (const char* text : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 OK\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
        CAPTURE(text);
        ResponseParser parser;
        feedBytewise(parser, text);
        CHECK(parser.response().outcome == Outcome::malformed);
    }
}

TEST_CASE("support: a connection is kept alive unless a side says close") {
    Response response;
    response.version = "HTTP/1.1";
    CHECK(response.keepsAlive());
    response.headers["connection"] = "Close";
    CHECK_FALSE(response.keepsAlive());
    response.version = "HTTP/1.0";
    response.headers.clear();
    CHECK_FALSE(response.keepsAlive());
    response.headers["Connection"] = "Keep-Alive";
    CHECK(response.keepsAlive());
}
