#include "catch.h"
#include "hello_server.h"
#include "proc.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: hello works as long as the request says") {
    const HelloServer server({"--work", "1h"});
    const auto begin = Clock::now();
    const Response answer = get(server.port(), "/hello?work=100ms");
    CHECK(answer.status == 200);
    CHECK(answer.body == "hello\n");
    CHECK(answer.finishedAt - begin >= 100ms);
}

TEST_CASE("03: hello works as long as the option says") {
    const HelloServer server({"--work", "100ms"});
    const auto begin = Clock::now();
    const Response answer = get(server.port(), "/hello?other=1");
    CHECK(answer.status == 200);
    CHECK(answer.finishedAt - begin >= 100ms);
}

TEST_CASE("03: hello refuses a bad duration and more than ten minutes") {
    const HelloServer server;
    for (const char* work : {"5", "-5s", "", "soon", "1h", "10m0.001s", "99999999999h", "%00"}) {
        CAPTURE(work);
        CHECK(get(server.port(), std::string("/hello?work=") + work).status == 400);
    }
    const Connection longest = server.working("/hello?work=10m");
    CHECK_FALSE(longest.closedByServer());
}

TEST_CASE("03: the server tells that it is alive and ready") {
    const HelloServer server;
    CHECK(get(server.port(), "/healthz").status == 200);
    const Response ready = get(server.port(), "/readyz");
    CHECK(ready.status == 200);
    CHECK(ready.body == "ready\n");
}

TEST_CASE("03: HEAD is answered as GET is and without a body") {
    const HelloServer server;
    Connection connection = server.connect();
    connection.send(httpRequest("HEAD", "/hello?work=1ms"));
    const Response answer = connection.readResponse(5s, false);
    CHECK(answer.status == 200);
    connection.send(httpRequest("GET", "/healthz"));
    CHECK(connection.readResponse(5s).status == 200); // no stray body before it
}

TEST_CASE("03: another path is 404 and another method on a known path 405 with Allow") {
    const HelloServer server;
    for (const char* path : {"/", "/hello/", "/hello/x", "/Hello", "/healthz2", "/nope?work=1ms"}) {
        CAPTURE(path);
        CHECK(get(server.port(), path).status == 404);
    }
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
        for (const char* path : {"/hello", "/healthz", "/readyz"}) {
            CAPTURE(method, path);
            Connection connection = server.connect();
            connection.send(httpRequest(method, path, {{"Content-Length", "0"}}));
            const Response answer = connection.readResponse(5s);
            CHECK(answer.status == 405);
            CHECK(answer.header("Allow").find("GET") != std::string::npos);
        }
    }
    Connection connection = server.connect();
    connection.send(httpRequest("POST", "/nope", {{"Content-Length", "0"}}));
    CHECK(connection.readResponse(5s).status == 404);
}

TEST_CASE("03: one connection carries many requests") {
    const HelloServer server;
    Connection connection = server.connect();
    for (const char* path : {"/hello?work=0s", "/healthz", "/nope", "/readyz", "/hello?work=1"}) {
        connection.send(httpRequest("GET", path));
        const Response answer = connection.readResponse(5s);
        CHECK(answer.outcome == Outcome::complete);
        CHECK(answer.keepsAlive());
    }
}

TEST_CASE("03: what is no HTTP is answered 400") {
    const HelloServer server;
    Connection connection = server.connect();
    connection.send("\x01\x02 nonsense\r\n\r\n");
    CHECK(connection.readResponse(5s).status == 400);
    CHECK(get(server.port(), "/healthz").status == 200);
}

TEST_CASE("03: it listens on the loopback address unless told otherwise") {
    const HelloServer loopback;
    const std::string port = ":" + std::to_string(loopback.port());
    CHECK(listeningAddresses(loopback.pid()) == std::vector<std::string>{"127.0.0.1" + port});

    const HelloServer everywhere({"--address", "0.0.0.0"});
    const std::string other = ":" + std::to_string(everywhere.port());
    CHECK(listeningAddresses(everywhere.pid()) == std::vector<std::string>{"0.0.0.0" + other});
    CHECK(get(everywhere.port(), "/healthz").status == 200);
}
