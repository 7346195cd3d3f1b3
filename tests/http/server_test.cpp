// What an HttpServer does with its threads, connections and listener while it serves.

#include "catch.h"
#include "flag.h"
#include "served.h"

#include "lifecycle/file_descriptor.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/Types.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::ConnectionState;
using lifecycle::Context;
using lifecycle::HttpServer;
using lifecycle::requestContext;
using lifecycle::StartError;

TEST_CASE("library: when the queue is full a client gets a 503 that is no reset") {
    Flag finish;
    Served server(
        answersWhen(finish, "done"),
        {.threads = 1, .queue = 1});
    auto working = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    auto waiting = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(ConnectionState::queued));

    for (const std::string& request :
         {httpRequest("GET", "/"), httpRequest("POST", "/", {}, std::string(200'000, 'x'))}) {
        auto refused = server.send(request);
        const Response response = refused.readResponse(10s);
        CHECK(response.outcome == Outcome::complete);
        CHECK(response.status == 503);
        CHECK(response.header("Retry-After") == "1");
        CHECK(response.header("Connection") == "close");
        CHECK(refused.readBytes(1, 10s).outcome == Outcome::closed);
    }

    finish.set();
    CHECK(working.readResponse(10s).body == "done");
    CHECK(waiting.readResponse(10s).body == "done");
    CHECK(server->counters().refused == 2);
    CHECK(eventually([&] { return server->counters().served == 2; }, 10s));
}

TEST_CASE("library: idle connections need no thread") {
    const Served server(hello, {.threads = 1, .queue = 100});
    std::vector<Connection> idle;
    for (int i = 0; i < 50; ++i) {
        idle.push_back(server.send(httpRequest("GET", "/")));
        REQUIRE(idle.back().readResponse(10s).status == 200);
        idle.push_back(Connection::to(server.port()));
    }
    for (Connection& connection : idle) {
        connection.send(httpRequest("GET", "/"));
        REQUIRE(connection.readResponse(10s).status == 200);
    }
}

TEST_CASE("library: a connection shows what it is doing") {
    Flag begin;
    Flag finish;
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        begin.wait();
        response.setContentLength(4);
        std::ostream& stream = response.send();
        stream << std::flush;
        finish.wait();
        stream << "done";
    });
    const auto only = [&] {
        const auto connections = server->connections();
        REQUIRE(connections.size() == 1);
        return connections[0];
    };

    auto connection = Connection::to(server.port());
    REQUIRE(server.comesTo(ConnectionState::fresh));
    CHECK(only().peer == "127.0.0.1:" + std::to_string(connection.localPort()));
    CHECK_FALSE(only().inFlight());

    connection.send("GET /path?query");
    REQUIRE(server.comesTo(ConnectionState::reading));
    CHECK(only().method.empty());
    connection.send(" HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(server.comesTo(ConnectionState::handling));
    CHECK(only().method == "GET");
    CHECK(only().path == "/path?query");
    CHECK(only().inFlight());
    const auto age = only().age;
    CHECK(eventually([&] { return only().age > age + 20ms; }, 10s));

    begin.set();
    REQUIRE(server.comesTo(ConnectionState::writing));
    CHECK(only().age > age);
    finish.set();
    CHECK(connection.readResponse(10s).body == "done");
    REQUIRE(server.comesTo(ConnectionState::idle));
    CHECK(only().path.empty());
    CHECK_FALSE(only().inFlight());
}

TEST_CASE("library: the connection with the oldest request is shown first") {
    Flag finish;
    Served server([&](HTTPServerRequest&, HTTPServerResponse& response) {
        finish.wait();
        answer(response, "");
    });
    auto silent = Connection::to(server.port());
    REQUIRE(server.comesTo(ConnectionState::fresh));
    auto first = server.send(httpRequest("GET", "/first"));
    REQUIRE(server.comesTo(ConnectionState::handling));
    auto second = server.send(httpRequest("GET", "/second"));
    REQUIRE(server.comesTo(ConnectionState::handling, 2));
    const auto connections = server->connections();
    REQUIRE(connections.size() == 3);
    CHECK(connections[0].path == "/first");
    CHECK(connections[1].path == "/second");
    CHECK(connections[2].state == ConnectionState::fresh);
    finish.set();
}

TEST_CASE("library: a handler may take the socket over") {
    Flag taken;
    Poco::Net::StreamSocket socket;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        socket = takeOver(request, response);
        taken.set();
    });
    auto client = server.send(httpRequest("GET", "/"));
    CHECK(client.readBytes(12, 10s).bytes == "HTTP/1.1 101");
    REQUIRE(taken.wait());
    REQUIRE(eventually([&] { return server->connections().empty(); }, 10s));

    // It is no concern of the server any more.
    CHECK(server->shutdown(Context::background()).served == 1);
    const std::string text = "from the new owner";
    socket.sendBytes(text.data(), static_cast<int>(text.size()));
    socket.shutdownSend();
    const std::string all = client.readBytes(1000, 10s).bytes;
    CHECK(all.find(text) != std::string::npos);
}

TEST_CASE("library: a second server on the same port is an error") {
    const Served first(hello);
    HttpServer second(new FunctionFactory(hello),
                      {.address = {"127.0.0.1", static_cast<Poco::UInt16>(first.port())}});
    try {
        second.start();
        FAIL("started");
    } catch (const StartError& error) {
        CHECK(std::string(error.what()) == "cannot listen on 127.0.0.1:" + std::to_string(first.port()) +
                                               ": Address already in use");
    }
    CHECK(get(first.port(), "/").status == 200);
}

TEST_CASE("library: an address of another machine is an error") {
    HttpServer server(new FunctionFactory(hello), {.address = {"192.0.2.1", 0}});
    CHECK_THROWS_AS(server.start(), StartError);
}

TEST_CASE("library: a port is free again as soon as its server is gone") {
    int port = 0;
    {
        Served first(hello);
        port = first.port();
        CHECK(get(port, "/").status == 200);
        first->shutdown(Context::background());
    }
    const Served second(hello, {.address = {"127.0.0.1", static_cast<Poco::UInt16>(port)}});
    CHECK(get(port, "/").status == 200);
}

TEST_CASE("library: a server listens on IPv6 where there is one") {
    try {
        Poco::Net::ServerSocket(Poco::Net::SocketAddress("::1", 0));
    } catch (const Poco::Exception&) {
        std::cout << "skipped: the part over IPv6: this machine has no ::1" << std::endl;
        return;
    }
    Served server(hello, {.address = {"::1", 0}});
    Poco::Net::StreamSocket client(Poco::Net::SocketAddress("::1", static_cast<Poco::UInt16>(server.port())));
    const std::string request = httpRequest("GET", "/", {{"Connection", "close"}});
    client.sendBytes(request.data(), static_cast<int>(request.size()));
    char bytes[12];
    CHECK(client.receiveBytes(bytes, sizeof bytes) == sizeof bytes);
    CHECK(std::string(bytes, sizeof bytes) == "HTTP/1.1 200");
    CHECK(server.events().all("request.begin").at(0).field("peer").rfind("[::1]:", 0) == 0);
    CHECK(server->shutdown(Context::background()).served == 1);
}

TEST_CASE("library: a strange path stays one line of the log") {
    const Served server(hello);
    CHECK(server.send("GET /a\x01\x1b[31m HTTP/1.1\r\n\r\n").readResponse(10s).status == 400);
    CHECK(server.events().text().find('\x1b') == std::string::npos);
    CHECK(server.send(httpRequest("GET", "/\"b\"=c\\")).readResponse(10s).status == 200);
    const auto begun = server.events().all("request.begin");
    REQUIRE(begun.size() == 1);
    CHECK(begun[0].field("path") == "/\"b\"=c\\");
}

TEST_CASE("library: a plain Poco server works beside this one") {
    std::atomic<bool> background = false;
    Poco::ThreadPool threads(2, 4);
    auto plain = std::make_unique<Poco::Net::HTTPServer>(
        new FunctionFactory([&](HTTPServerRequest& request, HTTPServerResponse& response) {
            const Context context = requestContext(request);
            background = !context.done() && !context.deadline() && !context.token().stop_possible();
            answer(response, "plain");
        }),
        threads, Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)),
        new Poco::Net::HTTPServerParams);
    plain->start();
    {
        Served server(hello);
        CHECK(get(plain->port(), "/").body == "plain");
        CHECK(background);
        CHECK(get(server.port(), "/").body == "hello\n");
        server->shutdown(withTimeout(Context::background(), 0s).context);
    }
    CHECK(get(plain->port(), "/").body == "plain");
    CHECK(background);
    plain->stopAll(true);
    threads.joinAll();
}

namespace {

/// The server's end of a connection, in this process: the socket whose peer has this port.
int descriptorOf(int clientPort) {
    for (int descriptor = 3; descriptor < 1024; ++descriptor) {
        sockaddr_in peer{};
        socklen_t length = sizeof peer;
        if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &length) == 0 && peer.sin_family == AF_INET &&
            ntohs(peer.sin_port) == clientPort) {
            return descriptor;
        }
    }
    return -1;
}

} // namespace

TEST_CASE("library: a connection that expires while somebody holds a copy of its socket is forgotten") {
    Served server(hello, {.keepAliveTimeout = 1s}); // for all to be copied
    std::vector<Connection> clients;
    std::vector<lifecycle::FileDescriptor> copies; // as a child process has them until its exec
    for (int i = 0; i < 20; ++i) {
        clients.push_back(server.send(httpRequest("GET", "/")));
        REQUIRE(clients.back().readResponse(10s).status == 200);
        copies.emplace_back(::dup(descriptorOf(clients.back().localPort())));
        REQUIRE(copies.back());
    }
    REQUIRE(eventually([&] { return server->connections().empty(); }, 10s));
    for (Connection& client : clients) {
        client.send(httpRequest("GET", "/"));
    }
    for (int i = 0; i < 20; ++i) { // in the memory of those that are gone
        CHECK(get(server.port(), "/").status == 200);
    }
    CHECK(eventually([&] { return server->counters().served == 40; }, 10s));
}
