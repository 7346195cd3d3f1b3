#include "catch.h"
#include "moments.h"
#include "process.h"
#include "signals_check.h"
#include "stage.h"
#include "story.h"

#include <csignal>
#include <utility>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

StartProcess ready(const std::vector<std::string>& command) {
    return [command] {
        auto process = std::make_shared<Process>(command);
        process->waitForEvent("ready");
        return process;
    };
}

} // namespace

TEST_CASE("02: a second signal forces the end within 100 ms") {
    checkSecondSignalForces(ready(stage("02_timeout", {"--work=1h", "--timeout=1h"})));
}

TEST_CASE("02: the same signal within 50 ms is a key bounce and not a second request") {
    checkBounceIsOneRequest(ready(stage("02_timeout", {"--work=150ms"})));
}

TEST_CASE("02: with the option a second TERM is harmless and INT still forces the exit") {
    checkSecondTermIsIgnored(ready(stage("02_timeout", {"--work=1h", "--timeout=1h", "--second-term=ignore"})));
}

TEST_CASE("02: HUP and INT and QUIT and TERM each begin the shutdown") {
    for (const auto& [number, name] : {std::pair{SIGHUP, "SIGHUP"}, std::pair{SIGINT, "SIGINT"},
                                       std::pair{SIGQUIT, "SIGQUIT"}, std::pair{SIGTERM, "SIGTERM"}}) {
        const auto process = ready(stage("02_timeout", {"--work=1ms"}))();
        process->signal(number);
        CHECK(process->waitForExit(10s).code == 0);
        CHECK(process->waitForEvent("shutdown.begin").field("cause") == name);
    }
}

TEST_CASE("02: a signal during the first 50 ms never hangs it") {
    checkSignalWhileStarting(stage("02_timeout", {"--work=1ms"}));
}

TEST_CASE("02: an inherited ignore of SIGINT does not make it deaf") {
    const auto process = ready(afterShell("trap '' INT", stage("02_timeout", {"--work=1ms"})))();
    process->signal(SIGINT);
    CHECK(process->waitForExit(10s).code == 0);
    CHECK(process->waitForEvent("shutdown.begin").field("cause") == "SIGINT");
}

TEST_CASE("02: SIGPIPE does not kill") {
    const auto process = ready(stage("02_timeout", {"--work=1ms"}))();
    process->signal(SIGPIPE);
    process->signal(SIGTERM);
    CHECK(process->waitForExit(10s).code == 0);
    checkStory(*process);
}
