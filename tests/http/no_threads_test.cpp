// What goes on, and what is refused in order, when the system has no thread left.

#include "catch.h"
#include "flag.h"
#include "no_threads.h"
#include "served.h"

#include "lifecycle/hooks.h"
#include "lifecycle/shutdown_all.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Context;
using lifecycle::Hooks;
using lifecycle::HooksReport;
using lifecycle::HookStatus;
using lifecycle::HttpServer;

namespace {

/// Where hooks of consecutive phases ran.
class Places {
public:
    void note() {
        const std::lock_guard lock(mutex_);
        threads_.push_back(std::this_thread::get_id());
    }
    std::vector<std::thread::id> threads() const {
        const std::lock_guard lock(mutex_);
        return threads_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::thread::id> threads_;
};

Context within(lifecycle::Duration total) {
    return withTimeout(Context::background(), total).context;
}

} // namespace

TEST_CASE("library: hooks have their threads from the start and one that hangs is abandoned without a new one") {
    const auto places = std::make_shared<Places>();
    const auto flag = std::make_shared<Flag>();
    Hooks hooks;
    hooks.add({"first", 0, 10s, [places](const Context&) { places->note(); }});
    hooks.add({"deaf", 1, 20ms, [places, flag](const Context&) { places->note(); flag->wait(60s); }});
    hooks.add({"fails", 2, 10s, [places](const Context&) {
                   places->note();
                   throw std::runtime_error("as it happens");
               }});
    hooks.add({"last", 3, 10s, [places](const Context&) { places->note(); }});
    const NoThreads none;
    REQUIRE_THROWS_AS(std::thread([] {}), std::system_error);
    const HooksReport report = hooks.run(within(30s));
    CHECK(report.hooks[0].status == HookStatus::ok);
    CHECK(report.hooks[1].status == HookStatus::timedOut);
    CHECK(report.hooks[2].error == "as it happens");
    CHECK(report.hooks[3].status == HookStatus::ok);
    const std::vector<std::thread::id> threads = places->threads();
    CHECK(threads.size() == 4);
    CHECK(std::count(threads.begin(), threads.end(), std::this_thread::get_id()) == 0);
    flag->set();
}

TEST_CASE("library: a hook that gets no thread is refused when it is added and the others run") {
    Hooks hooks;
    std::atomic<int> ran = 0;
    hooks.add({"has one", 0, 10s, [&](const Context&) { ++ran; }});
    {
        const NoThreads none;
        CHECK_THROWS_AS(hooks.add({"has none", 0, 10s, [&](const Context&) { ++ran; }}), std::system_error);
    }
    CHECK(hooks.run(within(30s)).allOk());
    CHECK(ran == 1);
}

TEST_CASE("library: without a thread left servers are shut down on the thread of their caller") {
    Places places;
    const Context context = within(50ms); // starts the thread of the timers
    const Context tooLate = within(500ms);
    const NoThreads none;
    const HooksReport report = lifecycle::shutdownAll(
        {{"first", [&](const Context&) { places.note(); }},
         {"fails", [&](const Context&) {
              places.note();
              throw std::runtime_error("as it happens");
          }},
         {"slow", [&](const Context&) {
              places.note();
              tooLate.wait();
          }}},
        context);
    CHECK(places.threads() == std::vector<std::thread::id>(3, std::this_thread::get_id()));
    CHECK(report.hooks[0].status == HookStatus::ok);
    CHECK(report.hooks[1].error == "as it happens");
    CHECK(report.hooks[2].status == HookStatus::timedOut);
}

TEST_CASE("library: a server that gets no thread says so and can be started when there are some") {
    HttpServer server(new FunctionFactory(hello), {});
    {
        const NoThreads none;
        CHECK_THROWS_AS(server.start(), std::system_error);
        const HttpServer other(new FunctionFactory(hello), {});
    }
    server.start();
    CHECK(get(server.address().port(), "/").status == 200);
    CHECK(server.shutdown(withTimeout(Context::background(), 10s).context).clean());
}

TEST_CASE("library: the first client is served when no thread is left since the start") {
    Served server(hello);
    const NoThreads none;
    REQUIRE_THROWS_AS(std::thread([] {}), std::system_error);
    CHECK(get(server.port(), "/").body == "hello\n");
    const lifecycle::ShutdownResult result =
        server->shutdown(withTimeout(Context::background(), 10s).context);
    CHECK(result.served == 1);
    CHECK(result.clean());
}

TEST_CASE("library: with one thread and no more to be had everybody is served by that one") {
    Flag finish;
    Served server(answersWhen(finish, "done"));
    const NoThreads none; // before the first one is blocked, which would start a second thread
    auto first = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(lifecycle::ConnectionState::handling));
    auto second = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(lifecycle::ConnectionState::queued));
    finish.set();
    CHECK(first.readResponse(10s).body == "done");
    CHECK(second.readResponse(10s).body == "done");
}
