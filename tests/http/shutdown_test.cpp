// What HttpServer::shutdown promises: everything accepted is finished.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "flag.h"
#include "served.h"

#include <atomic>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;
using lifecycle::Context;
using lifecycle::requestContext;
using lifecycle::ShutdownResult;

TEST_CASE("library: a shutdown waits for the request in flight") {
    Flag finish;
    Served server(answersWhen(finish, "done"));
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
    CHECK_FALSE(shutdown.hasReturned());

    finish.set();
    const Response response = client.readResponse(10s);
    CHECK(response.body == "done");
    CHECK(response.header("Connection") == "close");
    const ShutdownResult result = shutdown.result();
    CHECK(result.served == 1);
    CHECK(result.clean());
    CHECK(client.readBytes(1, 10s).outcome == Outcome::closed);
}

TEST_CASE("library: from the announcement on every answer says close") {
    Served server(hello);
    auto connection = server.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).keepsAlive());
    server->announceShutdown();
    connection.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).header("Connection") == "close");
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    // All else goes on.
    CHECK(get(server.port(), "/").status == 200);
    auto another = server.send(httpRequest("GET", "/"));
    CHECK_FALSE(another.readResponse(10s).keepsAlive());
}

TEST_CASE("library: an answer begun after the announcement says close in each of Poco's ways to send") {
    Flag finish;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        finish.wait();
        if (request.getURI() == "/buffer") {
            answer(response, "x");
        } else if (request.getURI() == "/redirect") {
            response.redirect("/elsewhere");
        } else if (request.getURI() == "/file") {
            response.sendFile("/etc/hostname", "text/plain");
        } else if (request.getURI() == "/sized") {
            response.setContentLength(1);
            response.send() << "x";
        } else if (request.getURI() == "/chunked") {
            response.setChunkedTransferEncoding(true);
            response.send() << "x";
        } else {
            response.send() << "x";
        }
    });
    std::vector<Connection> clients;
    for (const std::string path : {"/buffer", "/redirect", "/file", "/sized", "/chunked", "/until-close"}) {
        clients.push_back(server.send(httpRequest("GET", path)));
    }
    REQUIRE(server.comesTo(ConnectionState::handling, clients.size()));
    server->announceShutdown();
    finish.set();
    for (Connection& client : clients) {
        const Response response = client.readResponse(10s);
        CHECK(response.outcome == Outcome::complete);
        CHECK_FALSE(response.keepsAlive());
        CHECK(client.readBytes(1, 10s).outcome == Outcome::closed);
    }
}

TEST_CASE("library: the listener can be closed on its own") {
    Served server(hello);
    auto connection = server.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).keepsAlive());
    server->closeListener();
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
    server->closeListener();
    CHECK(shutdownWithin(server, 10s).served == 1);
}

TEST_CASE("library: a slow reader gets every byte through a shutdown") {
    std::string large;
    for (int line = 0; large.size() < 10'000'000; ++line) {
        large += std::to_string(line) + '\n';
    }
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) { answer(response, large); });
    auto client = Connection::to(server.port(), 5s, {.receiveBuffer = 4096});
    client.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::writing));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    CHECK_FALSE(shutdown.hasReturned());
    const Response response = client.readResponse(30s);
    CHECK(response.outcome == Outcome::complete);
    CHECK((response.body == large));
    CHECK(client.readBytes(1, 10s).outcome == Outcome::closed); // and no reset
    CHECK(shutdown.result().served == 1);
}

TEST_CASE("library: a slow upload is finished byte for byte through a shutdown") {
    Served server(echo);
    std::string body;
    for (int i = 0; i < 2000; ++i) {
        body += static_cast<char>('a' + i % 26);
    }
    const std::string request = httpRequest("POST", "/", {}, body);
    const std::size_t begin = request.size() - body.size() + 1;
    auto client = server.send(request.substr(0, begin));
    REQUIRE(server.comesTo(ConnectionState::handling));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    for (std::size_t at = begin; at < request.size(); at += 100) {
        client.send(request.substr(at, 100));
    }
    const Response response = client.readResponse(10s);
    CHECK(response.body == body);
    CHECK(shutdown.result().clean());
}

TEST_CASE("library: a chunked answer is finished through a shutdown") {
    Flag go;
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        response.setChunkedTransferEncoding(true);
        std::ostream& stream = response.send();
        stream << "first," << std::flush;
        go.wait();
        stream << "last";
    });
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::writing));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    go.set();
    const Response response = client.readResponse(10s);
    CHECK(response.outcome == Outcome::complete);
    CHECK(response.body == "first,last");
    CHECK(shutdown.result().served == 1);
}

TEST_CASE("library: requests that wait for a thread are served through a shutdown") {
    Flag finish;
    Served server(
        answersWhen(finish, "done"),
        {.threads = 1, .queue = 20});
    std::vector<Connection> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(server.send(httpRequest("GET", "/")));
    }
    REQUIRE(server.comesTo(ConnectionState::queued, 9));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    finish.set();
    for (Connection& client : clients) {
        const Response response = client.readResponse(10s);
        CHECK(response.body == "done");
        CHECK_FALSE(response.keepsAlive());
    }
    CHECK(shutdown.result().served == 10);
}

TEST_CASE("library: a client in line when the listener closes is answered") {
    Served server(hello);
    std::vector<Connection> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(server.send(httpRequest("GET", "/")));
    }
    CHECK(shutdownWithin(server, 20s).served == 200);
    for (Connection& client : clients) {
        CHECK(client.readResponse(10s).status == 200);
    }
}

TEST_CASE("library: an idle connection is served once more within the grace and then closed") {
    Served server(hello, {.keepAliveGrace = 2s});
    auto connection = server.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).keepsAlive());
    REQUIRE(server.comesTo(ConnectionState::idle));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    connection.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(10s).header("Connection") == "close");
    CHECK(connection.readBytes(1, 10s).outcome == Outcome::closed);
    const ShutdownResult result = shutdown.result();
    CHECK(result.served == 2);
    CHECK(result.took < 2s); // nobody is left to wait for
}

TEST_CASE("library: connections without a request are closed after the grace") {
    Served server(hello, {.keepAliveGrace = 50ms});
    auto idle = server.send(httpRequest("GET", "/"));
    CHECK(idle.readResponse(10s).keepsAlive());
    auto silent = Connection::to(server.port());
    REQUIRE(server.comesTo(ConnectionState::fresh));
    const ShutdownResult result = shutdownWithin(server, 30s);
    CHECK(result.clean());
    CHECK(result.took >= 50ms);
    CHECK(result.took < 10s); // http_timing_test.cpp looks closer
    CHECK(idle.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(silent.readBytes(1, 10s).outcome == Outcome::closed);
}

TEST_CASE("library: half a header lasts until the deadline and is no lost work") {
    Served server(hello);
    auto half = server.send("GET / HTTP/1.1\r\nHost:");
    REQUIRE(server.comesTo(ConnectionState::reading));
    const auto begin = Clock::now();
    const ShutdownResult result = shutdownWithin(server, 100ms);
    CHECK(Clock::now() - begin >= 100ms);
    CHECK(result.cut == 0);
    CHECK(result.clean());
    CHECK(result.took < 10s);
    CHECK(half.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(server.handlersMade() == 0);
}

TEST_CASE("library: a header that is completed during the shutdown is served") {
    Served server(hello);
    auto slow = server.send("GET / HTTP/1.1\r\nHost:");
    REQUIRE(server.comesTo(ConnectionState::reading));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    slow.send(" x\r\n\r\n");
    CHECK(slow.readResponse(10s).status == 200);
    CHECK(shutdown.result().served == 1);
}

TEST_CASE("library: a client that has sent more than its answer covers is not reset") {
    Flag finish;
    Served server(answersWhen(finish, "first"));
    auto client = server.send(httpRequest("GET", "/1"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    client.send(httpRequest("GET", "/2"));
    Shutdown shutdown(server);
    REQUIRE(drains(server));
    finish.set();
    const Response response = client.readResponse(10s);
    CHECK(response.body == "first");
    CHECK(response.header("Connection") == "close");
    CHECK(client.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(shutdown.result().served == 1);
}

TEST_CASE("library: two shutdowns at once tell the same numbers") {
    Flag finish;
    Served server(answersWhen(finish, "done"));
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    Shutdown first(server);
    Shutdown second(server);
    REQUIRE(drains(server));
    finish.set();
    CHECK(client.readResponse(10s).status == 200);
    const ShutdownResult one = first.result();
    const ShutdownResult two = second.result();
    CHECK(one.served == 1);
    CHECK(two.served == 1);
    CHECK(one.clean());
    CHECK(two.clean());
    // A third one finds nothing left to do.
    CHECK(shutdownWithin(server, 1s).served == 1);
}

TEST_CASE("library: of two shutdowns the earlier context cuts for both") {
    Flag finish;
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        finish.wait(30s); // whatever its context says
        answer(response, "too late");
    });
    auto client = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    Shutdown patient(server, 20s);
    REQUIRE(drains(server));
    const ShutdownResult early = shutdownWithin(server, 20ms);
    const ShutdownResult late = patient.result();
    CHECK(early.cut == 1);
    CHECK(late.cut == 1);
    CHECK(late.took < 10s);
    CHECK(shutdownWithin(server, 0s).cut == 1); // nothing is counted twice
    CHECK(server.events().all("deadline.hit").size() == 1);
    finish.set();
}

TEST_CASE("library: a server is destroyed without a shutdown") {
    std::atomic<bool> woken = false;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        woken = requestContext(request).waitFor(20s);
        answer(response, "too late");
    });
    auto working = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    auto silent = Connection::to(server.port());
    auto half = server.send("GET /");
    REQUIRE(server.comesTo(ConnectionState::reading));
    server.destroy();
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
    CHECK(working.readBytes(1, 10s).outcome != Outcome::complete);
    CHECK(silent.readBytes(1, 10s).outcome != Outcome::complete);
    CHECK(half.readBytes(1, 10s).outcome != Outcome::complete);
    CHECK(eventually([&] { return woken.load(); }, 10s));
}

TEST_CASE("library: a server that was never started can be shut down and destroyed") {
    lifecycle::HttpServer server(new FunctionFactory(hello), {});
    CHECK(server.shutdown(Context::background()).clean());
}

TEST_CASE("library: the longest wait is reported once a second with its oldest request") {
    Flag finish;
    Served server(answersWhen(finish, "done"));
    auto client = server.send(httpRequest("GET", "/oldest"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    Shutdown shutdown(server);
    REQUIRE(eventually([&] { return !server.events().all("drain.waiting").empty(); }, 10s));
    finish.set();
    const Event waiting = server.events().all("drain.waiting").at(0);
    CHECK(waiting.number("in_flight") == 1);
    CHECK(waiting.field("method") == "GET");
    CHECK(waiting.field("path") == "/oldest");
    CHECK(waiting.field("peer") == "127.0.0.1:" + std::to_string(client.localPort()));
    CHECK(waiting.field("state") == "handling");
    CHECK(waiting.has("remaining"));
    CHECK(waiting.has("age"));
}
