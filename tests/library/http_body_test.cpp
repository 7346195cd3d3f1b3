// Where the body of a request ends, and that of an answer: RFC 9112, section 6.

#include "catch.h"
#include "plain_server.h"
#include "served.h"

#include <Poco/Exception.h>
#include <Poco/StreamCopier.h>

#include <iterator>
#include <string>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n";

} // namespace

// The client takes the beginning of the next answer for the rest of this one.
TEST_CASE("library: an answer of another length than it announced ends the connection and does not with plain Poco") {
    const Handle tooShort = [](HTTPServerRequest&, HTTPServerResponse& response) {
        response.setContentLength(100);
        response.send() << "half";
    };
    const auto answersTo = [](int port, const std::string& method) {
        auto connection = Connection::to(port);
        connection.send(httpRequest(method, "/") + httpRequest(method, "/", {{"Connection", "close"}}));
        const std::string all = connection.readBytes(100'000, 10s).bytes;
        int count = 0;
        for (auto at = all.find("HTTP/1.1 200"); at != std::string::npos; at = all.find("HTTP/1.1 200", at + 1)) {
            ++count;
        }
        return count;
    };
    const Served server(tooShort);
    CHECK(answersTo(server.port(), "GET") == 1);
    REQUIRE(eventually([&] { return server.events().all("request.end").size() == 1; }, 10s));
    CHECK(server.events().all("request.end")[0].field("error") == "the answer is not as long as its Content-Length");
    CHECK(answersTo(server.port(), "HEAD") == 2); // has no body to be short

    const PlainServer plain(tooShort);
    CHECK(answersTo(plain.port(), "GET") == 2);

    // A file that changes its size while it is sent; this one says that it is empty.
    const Handle tooLong = [](HTTPServerRequest&, HTTPServerResponse& response) {
        response.sendFile("/proc/self/status", "text/plain");
    };
    const Served files(tooLong);
    CHECK(answersTo(files.port(), "GET") == 1);
    CHECK(answersTo(files.port(), "HEAD") == 2);
    const PlainServer plainFiles(tooLong);
    CHECK(answersTo(plainFiles.port(), "GET") == 2);
}

TEST_CASE("library: a body in chunks ends where it says and broken chunks end the connection") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        std::string body;
        if (request.getURI() == "/read") {
            Poco::StreamCopier::copyToString(request.stream(), body);
        } else if (request.getURI() == "/iterated") {
            body.assign(std::istreambuf_iterator<char>(request.stream()), {});
        }
        answer(response, (lifecycle::endedEarly(request) ? "broken " : "whole ") + body);
    });
    const auto post = [&](const std::string& path, const std::string& chunks) {
        return server.send("POST " + path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
    };
    for (const std::string path : {"/read", "/iterated"}) {
        for (const std::string chunks :
             {"3\r\ntea\r\n0\r\n\r\n", "003;a=b\r\ntea\r\n0\r\nX: y\r\n\r\n", "1 \r\nt\r\n2\r\nea\r\n0\r\nX: y\r\nY: z\r\n\r\n"}) {
            CAPTURE(path, chunks);
            auto connection = post(path, chunks + httpRequest("GET", "/"));
            const Response response = connection.readResponse(10s);
            CHECK(response.body == "whole tea");
            CHECK(response.keepsAlive());
            CHECK(connection.readResponse(10s).body == "whole ");
        }
        const int made = server.handlersMade();
        int broken = 0;
        for (const std::string chunks : {"zz\r\n", "3\r\nteaX\r\n", "3\ntea\r\n0\r\n\r\n", "-1\r\n", "\r\n",
                                         "1000000000000000\r\n", "0x3\r\ntea\r\n", "0\r\nX: y\n\r\n"}) {
            CAPTURE(path, chunks);
            auto connection = post(path, chunks + hidden);
            connection.halfClose();
            CHECK(connection.readResponse(10s).body.substr(0, 6) == "broken");
            CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
            ++broken;
        }
        CHECK(server.handlersMade() == made + broken);
    }
    auto unread = post("/", "zz\r\n" + hidden);
    CHECK_FALSE(unread.readResponse(10s).keepsAlive());
    CHECK(unread.readBytes(1, 10s).outcome == Outcome::closed);
}

TEST_CASE("library: an answer in front of a body that has not come says that the connection ends") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        std::string body(4, ' ');
        if (request.getURI() == "/exactly") {
            request.stream().read(body.data(), 4); // and not beyond
        } else if (request.getURI() == "/partly") {
            int number = 0;
            request.stream() >> number; // which fails
        }
        answer(response, body);
    });
    auto waiting = server.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
    CHECK_FALSE(waiting.readResponse(10s).keepsAlive());
    auto there = server.send(httpRequest("POST", "/", {}, "body"));
    CHECK(there.readResponse(10s).keepsAlive());
    there.send(httpRequest("POST", "/exactly", {}, "body") + httpRequest("GET", "/"));
    const Response response = there.readResponse(10s);
    CHECK(response.body == "body");
    CHECK(response.keepsAlive());
    CHECK(there.readResponse(10s).status == 200);
    there.send(httpRequest("POST", "/partly", {}, "body") + httpRequest("GET", "/"));
    CHECK(there.readResponse(10s).keepsAlive());
    CHECK(there.readResponse(10s).status == 200);
    auto partly = server.send("POST /partly HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nbody");
    CHECK_FALSE(partly.readResponse(10s).keepsAlive());
}

TEST_CASE("library: a handler may answer first and read the body then") {
    Flag answered;
    std::string read;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        response.setContentLength(2);
        response.send() << "ok" << std::flush;
        answered.set();
        Poco::StreamCopier::copyToString(request.stream(), read);
    });
    auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo");
    REQUIRE(answered.wait(10s));
    connection.send("dy");
    CHECK(connection.readResponse(10s).body == "ok");
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    server.destroy();
    CHECK(read == "body");
}

TEST_CASE("library: a client may pause within a body as long as the limit and no longer") {
    const Served server(
        [](HTTPServerRequest& request, HTTPServerResponse& response) {
            std::string body;
            try {
                Poco::StreamCopier::copyToString(request.stream(), body);
            } catch (const Poco::Exception&) {
            }
            answer(response, lifecycle::endedEarly(request) ? "half" : "whole");
        },
        {.ioTimeout = 100ms});
    for (const std::string begun : {"Content-Length: 4\r\n\r\nb", "Transfer-Encoding: chunked\r\n\r\n4\r\nb"}) {
        auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\n" + begun);
        const Response response = connection.readResponse(10s); // with Poco's default it would take a minute
        CHECK(response.body == "half");
        CHECK_FALSE(response.keepsAlive());
    }
}
