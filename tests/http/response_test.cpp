// What handlers send, fail to send, and must not send.

#include "catch.h"
#include "served.h"

#include "lifecycle/function_handler.h"
#include "lifecycle/gate.h"

#include <Poco/Net/NetException.h>

#include <ostream>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::HttpServer;

TEST_CASE("library: a client of HTTP 1.0 gets no chunks and stays connected only if it asks for that") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        if (request.getURI() == "/sized") {
            answer(response, "hello\n");
        } else {
            response.setChunkedTransferEncoding(true);
            response.send() << "hello\n";
        }
    });
    for (const std::string fields : {"", "Connection: keep-alive\r\n", "Connection: TE\r\n"}) {
        CAPTURE(fields);
        auto connection = server.send("GET / HTTP/1.0\r\n" + fields + "\r\n");
        const Response response = connection.readResponse(10s);
        CHECK(response.header("Transfer-Encoding").empty());
        CHECK(response.body == "hello\n");
        CHECK_FALSE(response.keepsAlive());
        auto sized = server.send("GET /sized HTTP/1.0\r\n" + fields + "\r\n");
        CHECK(sized.readResponse(10s).keepsAlive() == (fields == "Connection: keep-alive\r\n"));
    }
}

TEST_CASE("library: a handler that throws before its answer gives a 500") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse&) {
        if (request.getURI() == "/std") {
            throw std::runtime_error("std");
        }
        if (request.getURI() == "/poco") {
            throw Poco::Net::NetException("poco");
        }
        throw 1;
    });
    for (const std::string path : {"/std", "/poco", "/int"}) {
        auto connection = server.send(httpRequest("GET", path));
        CHECK(connection.readResponse(10s).status == 500);
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
    CHECK(eventually([&] { return server.events().all("request.end").size() == 3; }, 10s));
    CHECK(server.events().all("request.end")[0].field("error") == "std");
}

TEST_CASE("library: half an answer of a handler that throws does not look whole") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        if (request.getURI() == "/sized") {
            response.setContentLength(100);
        } else if (request.getURI() == "/chunked") {
            response.setChunkedTransferEncoding(true);
        }
        response.send() << "half" << std::flush;
        throw std::runtime_error("in the middle");
    });
    for (const std::string path : {"/sized", "/chunked", "/until-close"}) {
        CAPTURE(path);
        auto connection = server.send(httpRequest("GET", path));
        const Response response = connection.readResponse(10s);
        CHECK((response.outcome == Outcome::truncated || response.outcome == Outcome::reset));
    }
}

TEST_CASE("library: a client that stops reading for too long gets no byte twice, and not what looks whole") {
    std::string numbers; // more than the kernel takes from a client that does not read
    for (int i = 10'000'000; i < 11'000'000; ++i) {
        numbers += std::to_string(i) + '\n';
    }
    const std::string path = GENERATE("/sized", "/chunked", "/until-close");
    CAPTURE(path);
    Flag failed;
    Flag reads;
    lifecycle::HttpServerOptions options;
    options.ioTimeout = 200ms;
    const Served server(
        [&](HTTPServerRequest&, HTTPServerResponse& response) {
            if (path == "/sized") {
                response.setContentLength(static_cast<int>(numbers.size()));
            } else if (path == "/chunked") {
                response.setChunkedTransferEncoding(true);
            }
            std::ostream& body = response.send();
            for (std::size_t next = 0; body && next < numbers.size(); next += 9) {
                body << numbers.substr(next, 9);
            }
            failed.set();
            reads.wait();
        },
        options);
    auto client = Connection::to(server.port(), 5s, {.receiveBuffer = 4096});
    client.send(httpRequest("GET", path));
    failed.wait();
    reads.set();
    const Response response = client.readResponse(30s);
    CHECK_FALSE(response.body.empty()); // a reset discards what has not reached the client's own buffer
    CHECK(response.body.size() < numbers.size());
    CHECK(numbers.compare(0, response.body.size(), response.body) == 0);
    CHECK((response.outcome == Outcome::truncated || response.outcome == Outcome::reset));
}

TEST_CASE("library: a second response to a request is not sent") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        if (request.getURI() == "/half") {
            response.setContentLength(100);
            response.send() << "half" << std::flush;
        } else {
            response.sendBuffer("first", 5);
        }
        response.sendBuffer("second", 6);
    });
    auto whole = server.send(httpRequest("GET", "/whole"));
    const Response first = whole.readResponse(10s);
    CHECK(((first.outcome == Outcome::complete && first.body == "first") || first.outcome == Outcome::reset));
    CHECK(whole.readBytes(1, 10s).bytes.empty());
    const Response half = server.send(httpRequest("GET", "/half")).readResponse(10s);
    CHECK((half.outcome == Outcome::truncated || half.outcome == Outcome::reset));
    CHECK(half.body.find("HTTP/1.1") == std::string::npos);
}

TEST_CASE("library: a response that has no body gets none, and the next one on its connection is whole") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        const bool bodiless = request.getURI() == "/304";
        lifecycle::reply(response, bodiless ? HTTPServerResponse::HTTP_NOT_MODIFIED : HTTPServerResponse::HTTP_OK, "text");
    });
    auto client = server.send(httpRequest("GET", "/304"));
    CHECK(client.readResponse(10s, false).status == 304);
    client.send(httpRequest("GET", "/"));
    const Response next = client.readResponse(10s);
    CHECK(next.status == 200);
    CHECK(next.body == "text");
}

TEST_CASE("library: a handler that sends nothing gives a 500") {
    const Served server([](HTTPServerRequest&, HTTPServerResponse&) {});
    CHECK(get(server.port(), "/").status == 500);
}

TEST_CASE("library: a factory that makes no handler gives a 501") {
    class Nobody : public Poco::Net::HTTPRequestHandlerFactory {
        Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
            return nullptr;
        }
    };
    HttpServer server(new Nobody, {});
    server.start();
    CHECK(get(server.address().port(), "/").status == 501);
}

TEST_CASE("library: a place in a gate is kept until the answer is flushed") {
    lifecycle::Gate gate;
    const std::string large(20'000'000, 'x'); // more than the kernel takes from a client that waits
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        const auto givenBack = keepUntilFlushed(request, *gate.tryEnter());
        answer(response, givenBack ? "nothing was kept" : large);
    });
    auto client = Connection::to(server.port(), 5s, {.receiveBuffer = 4096});
    client.send(httpRequest("GET", "/"));
    REQUIRE(client.readBytes(100, 10s).outcome == Outcome::complete);
    gate.close();
    CHECK_FALSE(gate.wait(withTimeout(Context::background(), 20ms).context));
    CHECK(client.readBytes(large.size(), 30s).outcome == Outcome::complete);
    CHECK(gate.wait(withTimeout(Context::background(), 10s).context));
}
