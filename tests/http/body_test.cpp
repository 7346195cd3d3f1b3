// Where the body of a request ends, and that of an answer: RFC 9112, section 6.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "plain_server.h"
#include "served.h"
#include "temp_dir.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/StreamCopier.h>
#include <Poco/Version.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <ostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;

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
             {"3\r\ntea\r\n0\r\n\r\n", "003;a=b\r\ntea\r\n0\r\nX: y\r\n\r\n", "1\r\nt\r\n2\r\nea\r\n0\r\nX: y\r\nY: z\r\n\r\n",
              "3;a;b=c;d=\"e;\\\"f\"\r\ntea\r\n0;a=b\r\nX:\r\n\r\n", "3 ; a = b\r\ntea\r\n0\r\n\r\n"}) {
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
                                         "1000000000000000\r\n", "0x3\r\ntea\r\n", "0\r\nX: y\n\r\n", "3 \r\ntea\r\n",
                                         "3\t\r\ntea\r\n", "3 xyz\r\ntea\r\n", "3;\r\ntea\r\n", "3;a=\x01\r\ntea\r\n",
                                         "3;a=\r\ntea\r\n", "3;a b\r\ntea\r\n", "3;a=\"b\r\ntea\r\n", "3;a \r\ntea\r\n",
                                         "0\r\nGET / HTTP/1.1\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\nX: \x01\r\n\r\n"}) {
            CAPTURE(path, chunks);
            auto connection = post(path, chunks + hidden);
            connection.halfClose();
            const Response response = connection.readResponse(10s);
            CHECK(response.body.substr(0, 6) == "broken");
            CHECK(response.status == 400); // the handler set 200
            CHECK(response.header("Connection") == "close");
            CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
            ++broken;
        }
        CHECK(server.handlersMade() == made + broken);
    }
    auto unread = post("/", "zz\r\n" + hidden);
    CHECK_FALSE(unread.readResponse(10s).keepsAlive());
    CHECK(unread.readBytes(1, 10s).outcome == Outcome::closed);
}

TEST_CASE("library: a response ahead of the body keeps the connection if at most 64 KiB of a known length are missing") {
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
    for (const std::string path : {"/", "/partly"}) {
        // However it is split: it must not matter whether it arrives before the response is sent.
        for (const std::size_t ahead : {std::size_t{0}, std::size_t{4}, std::size_t{5000}, std::size_t{65536}}) {
            CAPTURE(path, ahead);
            std::string body(65536, '\n');
            body.replace(0, 4, path == "/partly" ? "body" : "\r\n\r\n");
            body.replace(60'000, hidden.size(), hidden);
            const std::string head = "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n";
            if (path == "/partly" && ahead == 0) {
                continue; // the handler waits for more
            }
            auto connection = server.send(head + body.substr(0, ahead));
            CHECK(connection.readResponse(10s).keepsAlive());
            for (std::size_t at = ahead; at < body.size(); at += 10'000) {
                connection.send(body.substr(at, 10'000));
            }
            connection.send(httpRequest("POST", "/exactly", {}, "next") + httpRequest("GET", "/"));
            const Response next = connection.readResponse(10s);
            CHECK(next.body == "next");
            CHECK(next.keepsAlive());
            CHECK(connection.readResponse(10s).status == 200);
        }
    }
    // All of it or none has arrived: that must not matter either.
    for (const std::string body : {"Content-Length: 65537\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n",
                                   "Transfer-Encoding: chunked\r\n\r\n3\r\ntea\r\n0\r\n\r\n"}) {
        CAPTURE(body);
        auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\n" + body);
        const Response response = connection.readResponse(10s);
        CHECK(response.status == 200);
        CHECK(response.header("Connection") == "close");
        CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    }
}

TEST_CASE("library: a body that stops after its response does not hold a shutdown") {
    Served server(hello);
    auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of");
    CHECK(connection.readResponse(10s).keepsAlive());
    connection.send(" it");
    const auto result = shutdownWithin(server, 10s);
    CHECK(result.took < 5s); // the grace, and not the deadline
    CHECK(result.served == 1);
    CHECK(result.cut == 0);
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
    connection.send(httpRequest("GET", "/", {{"Connection", "close"}}));
    CHECK(connection.readResponse(10s).body == "ok");
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    server.destroy();
    CHECK(read == "body");
    CHECK(server.handlersMade() == 2);
}

TEST_CASE("library: a client that goes on sending after its response is not reset as long as it sends") {
    Served server([](HTTPServerRequest&, HTTPServerResponse& response) {
        response.setStatusAndReason(HTTPServerResponse::HTTP_METHOD_NOT_ALLOWED);
        answer(response, "");
    });
    auto connection = server.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
    const auto begin = Clock::now();
    while (Clock::now() - begin < 1200ms) {
        REQUIRE_FALSE(connection.send(std::string(1000, 'x')));
        std::this_thread::sleep_for(50ms); // a slow client
    }
    const Response response = connection.readResponse(10s);
    CHECK(response.status == 405);
    CHECK(response.header("Connection") == "close");

    // A shutdown waits for it a second at most, and not at all once it has closed.
    std::atomic<bool> ended = false;
    std::thread sender([&] {
        while (!ended && !connection.send("x")) {
            std::this_thread::sleep_for(20ms);
        }
    });
    const auto slow = shutdownWithin(server, 10s);
    ended = true;
    sender.join();
    CHECK(slow.took < 3s);
    CHECK(slow.cut == 0);
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

TEST_CASE("library: a file that shrinks while it is sent ends the connection and one that grows does not") {
    constexpr std::uintmax_t size = 20'000'000; // more than the kernel takes from a client that waits
    const TempDir folder;
    const auto path = folder.write("file", "");
    const Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        response.sendFile(path.string(), "text/plain");
    });
    const auto receivedAfter = [&](std::uintmax_t newSize) {
        std::filesystem::resize_file(path, size);
        auto client = Connection::to(server.port(), 5s, {.receiveBuffer = 4096});
        client.send(httpRequest("GET", "/"));
        std::string bytes = client.readBytes(1000, 10s).bytes;
        std::filesystem::resize_file(path, newSize);
        client.send(httpRequest("HEAD", "/", {{"Connection", "close"}}));
        const ReadResult rest = client.readBytes(size + 10'000, 20s);
        bytes += rest.bytes;
        CHECK(rest.outcome != Outcome::timeout);
        return bytes;
    };
    const std::string shrunk = receivedAfter(1000);
    CHECK(shrunk.size() < size);
    CHECK(shrunk.find("200 OK", 10) == std::string::npos);
    const std::string grown = receivedAfter(size + 1'000'000);
    CHECK(grown.find("Content-Length: 20000000\r\n") != std::string::npos);
    const std::size_t next = grown.find("200 OK", size);
    REQUIRE(next != std::string::npos);
    CHECK(grown.find("Content-Length: 21000000\r\n", next) != std::string::npos);
}

TEST_CASE("library: a cut and the time limit end the sending of a file") {
    const TempDir folder;
    const auto path = folder.write("file", "");
    std::filesystem::resize_file(path, 20'000'000);
    const auto sends = [&](HTTPServerRequest&, HTTPServerResponse& response) {
        response.sendFile(path.string(), "text/plain");
    };
    Served server(sends);
    auto client = Connection::to(server.port(), 5s, {.receiveBuffer = 4096});
    client.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::writing));
    CHECK(shutdownWithin(server, 50ms).cut == 1);
    CHECK(eventually([&] { return server.handlersAlive() == 0; }, 10s));

    const Served impatient(sends, {.ioTimeout = 100ms});
    auto lazy = Connection::to(impatient.port(), 5s, {.receiveBuffer = 4096});
    lazy.send(httpRequest("GET", "/"));
    CHECK(eventually([&] { return impatient.events().all("request.end").size() == 1; }, 10s));
}

// Poco has trailers from 1.12 on.
#if POCO_VERSION >= 0x010c0000
TEST_CASE("library: trailers belong to one request and one response") {
    const Served server([](HTTPServerRequest& request, HTTPServerResponse& response) {
        auto& session = static_cast<Poco::Net::HTTPServerRequestImpl&>(request).session();
        std::string body;
        Poco::StreamCopier::copyToString(request.stream(), body);
        body += session.requestTrailer().get("X", "none");
        if (request.getURI() == "/trailer") {
            session.responseTrailer().set("Y", "z");
        }
        response.setChunkedTransferEncoding(true);
        response.send() << body;
    });
    const std::string chunked = " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    auto connection = server.send("POST /trailer" + chunked + "3\r\ntea\r\n0\r\nX: y\r\n\r\n");
    CHECK(connection.readResponse(10s).body == "teay");
    connection.send("POST /" + chunked + "3\r\ntea\r\n0\r\n\r\n" + httpRequest("GET", "/"));
    const std::string all = connection.readBytes(100'000, 500ms).bytes;
    CHECK(all.find("teanone") != std::string::npos);
    CHECK(all.find("Y: z") == std::string::npos);
}
#endif
