// A server that others write, on an event loop, with one fault: no other scenario may be blamed for it.

#include "catch.h"
#include "checked.h"
#include "process.h"
#include "skip.h"

#include <chrono>
#include <string>

using namespace lifecycle::check;
using namespace std::chrono_literals;

namespace {

/// The interpreter itself, and not a script that looks for it at every start; empty if there is none with asyncio.
std::string python() {
    const lifecycle::test::Process asks({"sh", "-c", "exec python3 -c 'import asyncio, sys; print(sys.executable)'"});
    const bool found = asks.waitForExit(1min).code == 0;
    const std::string output = asks.standardOutput();
    return found ? output.substr(0, output.find('\n')) : "";
}

} // namespace

TEST_CASE("drain_check: of an asyncio server with one fault it finds that fault and no other") {
    const std::string interpreter = python();
    if (interpreter.empty()) {
        lifecycle::test::skip("needs python3");
        return;
    }
    struct Case {
        std::string fault;
        std::string found;
    };
    const Case& one = GENERATE(Case{"ignores-newcomers", "in-line"}, Case{"keeps-listening", "new-connections"});
    CAPTURE(one.fault);
    const Checked checked = runCheck(
        {"--only=in-flight,new-connections,readiness,in-line,busy-keep-alive,close-announced",
         "--path=/?work={ms}", "--ready-path=/ready", "--clients=8", "--rounds=1", "--timeout=5s", "--exit-limit=5s",
         "--refusal-limit=500ms", "--start-limit=1m"},
        {interpreter, ASYNCIO_SERVER, one.fault, "{port}"});
    CAPTURE(checked.output, checked.errors);
    CHECK(checked.scenarios.size() == 6);
    for (const auto& [name, line] : checked.scenarios) {
        CAPTURE(name, line.figure, line.remark);
        CHECK(line.result == (name == one.found ? "fail" : "pass"));
    }
}
