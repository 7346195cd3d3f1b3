// Who is still sending when there is no descriptor: the requests at work must outlast the closing of the listener.

#include "catch.h"
#include "hello_server.h"

#include <sys/resource.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

TEST_CASE("03: at the descriptor limit a client that is still sending reads its 503 and no reset") {
    const HelloServer server({"--timeout", "5s"}, {.limits = {{RLIMIT_NOFILE, 64}}});
    std::vector<Connection> working;
    while (server.events("accept.paused").empty()) {
        working.push_back(server.connect());
        working.back().send(httpRequest("GET", "/hello?work=2s"));
        eventually([&] { return !server.events("accept.paused").empty(); }, 5ms);
    }
    auto uploading = server.connect();
    uploading.send("POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
    uploading.send(std::string(1000, 'x'));
    server.stop();
    const Response response = uploading.readResponse(10s);
    CHECK(response.status == 503);
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(uploading.send(std::string(1000, 'x'))); // a reset would make the second one fail
        std::this_thread::sleep_for(2ms); // as an upload over a network; nothing is waited for
    }
    CHECK(uploading.readBytes(1, 10s).outcome == Outcome::closed);
    CHECK(server.waitForExit(10s).code == 0);
}
