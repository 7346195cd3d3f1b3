// Calls by mistake, or earlier or later than usual: each has a defined result.

#include "catch.h"
#include "concurrent_shutdown.h"
#include "served.h"

#include "lifecycle/http_server.h"

#include <atomic>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::HttpServer;

TEST_CASE("library: a handler that shuts its own server down gets an exception instead of a deadlock") {
    std::atomic<HttpServer*> self = nullptr;
    std::string error;
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        try {
            self.load()->shutdown(Context::background());
        } catch (const std::logic_error& refused) {
            error = refused.what();
        }
        answer(response, "still here");
    });
    self = &*server;
    CHECK(get(server.port(), "/").body == "still here");
    CHECK(error.find("handler") != std::string::npos);
    CHECK(shutdownWithin(server, 10s).served == 1);
}

TEST_CASE("library: a handler may shut another server down") {
    Served other(hello);
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        answer(response, shutdownWithin(other, 10s).clean() ? "clean" : "cut");
    });
    CHECK(get(server.port(), "/").body == "clean");
}

TEST_CASE("library: a server that was shut down before its start does not start") {
    HttpServer server(new FunctionFactory(hello), {});
    CHECK(server.shutdown(Context::background()).clean());
    CHECK_THROWS_AS(server.start(), std::logic_error);
}

TEST_CASE("library: what needs a listener says before the start that there is none") {
    HttpServer server(new FunctionFactory(hello), {});
    CHECK_THROWS_AS(server.address(), std::logic_error);
    CHECK_THROWS_AS(server.closeListener(), std::logic_error);
    CHECK_THROWS_AS(server.stopAccepting(), std::logic_error);
    CHECK_THROWS_AS(server.resumeAccepting(), std::logic_error);
    CHECK(server.connections().empty());
    CHECK(server.counters().served == 0);
}

TEST_CASE("library: an announcement before the start holds from the start on") {
    HttpServer server(new FunctionFactory(hello), {});
    server.announceShutdown();
    server.start();
    Connection client = Connection::to(server.address().port());
    client.send(httpRequest("GET", "/"));
    CHECK_FALSE(client.readResponse(10s).keepsAlive());
    CHECK(server.shutdown(withTimeout(Context::background(), 10s).context).clean());
}
