#include "catch.h"

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "http_client.h"
#include "receive_queues.h"
#include "rivals.h"
#include "running_server.h"

using namespace lifecycle;
using namespace lifecycle::bench;
using namespace std::chrono_literals;

namespace {

constexpr Effort withPeers{.quick = true, .peers = true};

void printNotes(const Rivals& rivals) {
    for (const std::string& note : rivals.notes) {
        if (note.starts_with("left out")) {
            std::cout << "skipped: " << note << std::endl;
        }
    }
}

} // namespace

TEST_CASE("bench: without --peers nobody but Go is measured beside ours") {
    for (const Contestant& rival : rivals({.quick = true}).all) {
        CHECK(rival.name == goName);
    }
}

TEST_CASE("bench: every rival gives the same answer") {
    const Rivals others = rivals(withPeers);
    printNotes(others);
    for (const Contestant& rival : others.all) {
        CAPTURE(rival.name);
        const RunningServer server(rival, Output::discarded);
        const test::Response response = test::get(server.port(), "/hello?work=0s");
        CHECK(response.status == 200);
        CHECK(response.body == "hello\n");
    }
}

TEST_CASE("bench: every rival ends by its signal as soon as it has answered once") {
    const Rivals others = rivals(withPeers);
    printNotes(others);
    for (const Contestant& rival : others.all) {
        CAPTURE(rival.name);
        for (int run = 0; run < 5; ++run) {
            const RunningServer server(rival, Output::discarded);
            server.terminate();
            CHECK_NOTHROW(server.waitForExit(10s));
        }
    }
}

TEST_CASE("bench: a rival before a backend finishes the request that it has read") {
    const RunningServer backend(stage("graceful"));
    const Rivals others = rivalsBefore(backend.port(), withPeers);
    printNotes(others);
    for (const Contestant& rival : others.all) {
        CAPTURE(rival.name);
        const RunningServer server(rival, Output::discarded);
        test::Connection connection = test::Connection::to(server.port());
        connection.send(test::httpRequest("GET", "/hello?work=300ms"));
        test::waitUntilRead(server.port(), 1, 10s);
        server.terminate();
        const test::Response response = connection.readResponse(10s);
        CHECK(response.status == 200);
        CHECK(response.body == "hello\n");
        CHECK_NOTHROW(server.waitForExit(10s));
    }
}

TEST_CASE("bench: a request that nobody reads is not in flight") {
    const RunningServer server(stage("stopall", {"--threads", "2"}));
    std::vector<test::Connection> clients;
    for (int i = 0; i < 3; ++i) {  // two threads: the third request waits
        clients.push_back(test::Connection::to(server.port()));
        clients.back().send(test::httpRequest("GET", "/hello?work=1s"));
    }
    CHECK_THROWS(test::waitUntilRead(server.port(), 3, 300ms));
    for (int i = 0; i < 2; ++i) {
        CHECK(clients[static_cast<std::size_t>(i)].readResponse(10s).status == 200);
    }
    clients.erase(clients.begin(), clients.begin() + 2);  // their threads are free when they go
    CHECK_NOTHROW(test::waitUntilRead(server.port(), 1, 10s));
}
