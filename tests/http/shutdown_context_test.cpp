// Handlers are told that the shutdown has been announced, and can end what would go on forever.

#include "catch.h"
#include "plain_server.h"
#include "served.h"

#include <atomic>
#include <ostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::requestContext;
using lifecycle::shutdownContext;

namespace {

Context within(lifecycle::Duration time) {
    return withTimeout(Context::background(), time).context;
}

/// A response without an end: a line every now and then, until the context is done.
void streamUntil(const Context& done, HTTPServerResponse& response, lifecycle::Duration farewell = 0ms) {
    response.setChunkedTransferEncoding(true);
    std::ostream& stream = response.send();
    stream << "line\n" << std::flush;
    while (stream && !done.waitFor(50ms)) {
        stream << "line\n" << std::flush;
    }
    std::this_thread::sleep_for(farewell); // work of the handler
    stream << "goodbye\n" << std::flush;
}

/// The response as far as its first line: the handler runs.
Connection streaming(const Served& server) {
    Connection client = server.send(httpRequest("GET", "/"));
    REQUIRE(client.readBytes(20, 10s).outcome == Outcome::complete);
    return client;
}

} // namespace

TEST_CASE("library: a stream that is told ends in time, and one that is not is cut at the deadline") {
    const bool told = GENERATE(true, false);
    CAPTURE(told);
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        streamUntil(told ? shutdownContext(request) : requestContext(request), response);
    });
    Connection client = streaming(server);
    const auto result = server->shutdown(within(told ? 10s : 300ms));
    CHECK(result.cut == (told ? 0 : 1));
    const ReadResult rest = client.readBytes(1'000'000, 10s);
    CHECK((rest.bytes.find("goodbye\n") != std::string::npos) == told);
    CHECK(rest.bytes.ends_with("\r\n0\r\n\r\n") == told);
}

TEST_CASE("library: a handler that takes 300 ms to say goodbye is waited for") {
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        streamUntil(shutdownContext(request), response, 300ms);
        CHECK_FALSE(requestContext(request).done());
    });
    Connection client = streaming(server);
    const auto result = server->shutdown(within(10s));
    CHECK(result.cut == 0);
    CHECK(result.served == 1);
    CHECK(result.took >= 300ms);
    CHECK(client.readBytes(1'000'000, 10s).bytes.find("goodbye\n") != std::string::npos);
}

TEST_CASE("library: the announcement is told before the listener closes, also outside of handlers") {
    std::atomic<bool> told = false;
    Served server(hello);
    const auto callback = server->shutdownContext().onDone([&] { told = true; });
    CHECK_FALSE(server->shutdownContext().done());
    server->announceShutdown();
    CHECK(told);
    CHECK(server->shutdownContext().done());
    CHECK(get(server.port(), "/").status == 200);
}

TEST_CASE("library: once an announcement is taken back, callers get a context that is not done") {
    Served server(hello);
    const Context before = server->shutdownContext();
    server->stopAccepting();
    CHECK(before.done());
    server->resumeAccepting();
    const Context after = server->shutdownContext();
    CHECK(before.done());
    CHECK_FALSE(after.done());
    server->announceShutdown();
    CHECK(after.done());
}

TEST_CASE("library: the end of a server that was never shut down tells its handlers too") {
    std::atomic<bool> ended = false;
    Served server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        streamUntil(shutdownContext(request), response);
        ended = true;
    });
    Connection client = streaming(server);
    server.destroy();
    CHECK(eventually([&] { return ended.load(); }, 10s));
}

TEST_CASE("library: with Poco's own server nobody is told") {
    std::atomic<bool> done = true;
    PlainServer server([&](HTTPServerRequest& request, HTTPServerResponse& response) {
        done = shutdownContext(request).done();
        answer(response, "hello\n");
    });
    CHECK(get(server.port(), "/").status == 200);
    CHECK_FALSE(done);
}
