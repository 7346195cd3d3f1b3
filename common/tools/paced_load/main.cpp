// paced_load: sends requests to a server on 127.0.0.1 at a steady rate and prints what became of
// them and how long the responses took, in one line: `sent=1000 ok=1000 other=0 lost=0 p50=1.2ms p99=3.4ms max=5ms`.
// Exit code 0 if all were answered 200, else 1.

#include "lifecycle/duration.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "paced_load.h"

#include <chrono>
#include <csignal>
#include <iostream>
#include <ratio>
#include <string>

namespace {

/// Rounded to tenths of a millisecond.
std::string shown(lifecycle::Duration latency) {
    const auto tenths = std::chrono::round<std::chrono::duration<long long, std::ratio<1, 10'000>>>(latency);
    return lifecycle::formatDuration(tenths);
}

} // namespace

int main(int argc, char** argv) {
    lifecycle::test::PacedPlan plan;
    std::uint16_t port = 8080;
    unsigned rate = 25;
    unsigned count = 1000;
    lifecycle::Options options("paced_load", "sends requests at a steady rate");
    options.port("port", port, "port to ask, on 127.0.0.1");
    options.text("target", plan.target, "path to ask for");
    options.number("rate", rate, 1, 10'000, "requests a second");
    options.number("count", count, 1, 1'000'000, "requests in all");
    if (const auto exitCode = options.parse(argc, argv)) {
        return *exitCode;
    }
    std::signal(SIGPIPE, SIG_IGN);
    plan.port = port;
    plan.perSecond = rate;
    plan.count = count;
    const lifecycle::test::PacedResult result = lifecycle::test::PacedLoad(plan).run();
    std::cout << "sent=" << result.sent << " ok=" << result.ok << " other=" << result.other
              << " lost=" << result.lost << " p50=" << shown(result.percentile(50))
              << " p99=" << shown(result.percentile(99)) << " max=" << shown(result.percentile(100)) << std::endl;
    return result.ok == result.sent ? lifecycle::exitClean : 1;
}
