// What goes on, and what is refused in order, when the system has no thread left.

#include "catch.h"
#include "no_threads.h"
#include "served.h"

#include "lifecycle/hooks.h"

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

struct Ran {
    HooksReport report;
    std::vector<std::thread::id> threads;  ///< of the hooks, in the order in which they ran
};

Ran runHooks() {
    Ran ran;
    Hooks hooks;
    const auto noteThread = [&ran](const Context&) { ran.threads.push_back(std::this_thread::get_id()); };
    hooks.add({"first", 0, 10s, noteThread});
    hooks.add({"fails", 1, 10s, [&](const Context& context) {
                   noteThread(context);
                   throw std::runtime_error("as it happens");
               }});
    hooks.add({"slow", 2, 20ms, [&](const Context& context) {
                   noteThread(context);
                   context.wait();
               }});
    hooks.add({"last", 3, 10s, noteThread});
    const lifecycle::Context total = withTimeout(Context::background(), 30s).context;
    ran.report = hooks.run(total);
    return ran;
}

void checkReport(const HooksReport& report) {
    REQUIRE(report.hooks.size() == 4);
    CHECK(report.hooks[0].status == HookStatus::ok);
    CHECK(report.hooks[1].status == HookStatus::failed);
    CHECK(report.hooks[1].error == "as it happens");
    CHECK(report.hooks[2].status == HookStatus::timedOut);
    CHECK(report.hooks[3].status == HookStatus::ok);
}

} // namespace

TEST_CASE("library: without a thread left the hooks run on the thread of their caller") {
    const Ran usual = runHooks();
    checkReport(usual.report);
    for (const std::thread::id thread : usual.threads) {
        CHECK(thread != std::this_thread::get_id());
    }
    const NoThreads none;
    REQUIRE_THROWS_AS(std::thread([] {}), std::system_error);
    const Ran alone = runHooks();
    checkReport(alone.report);
    CHECK(alone.threads == std::vector<std::thread::id>(4, std::this_thread::get_id()));
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

TEST_CASE("library: with one thread and no more to be had everybody is served by that one") {
    Flag finish;
    Served server(answersWhen(finish, "done"));
    auto first = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(lifecycle::ConnectionState::handling));
    const NoThreads none;
    auto second = server.send(httpRequest("GET", "/"));
    REQUIRE(server.comesTo(lifecycle::ConnectionState::queued));
    finish.set();
    CHECK(first.readResponse(10s).body == "done");
    CHECK(second.readResponse(10s).body == "done");
}
