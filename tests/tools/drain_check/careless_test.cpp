#include "catch.h"
#include "checked.h"
#include "time_limit.h"

using namespace lifecycle::check;
using lifecycle::test::slowdown;

namespace {

void checkFails(const std::string& fault, const std::string& scenario, const std::string& remark) {
    const Checked::Line line = carelessIn(fault, scenario);
    CAPTURE(fault, scenario, line.figure, line.remark);
    CHECK(line.result == "fail");
    CHECK(line.remark.find(remark) != std::string::npos);
}

} // namespace

TEST_CASE("drain_check: a server that dies of the signal loses what is in flight") {
    checkFails("dies", "in-flight", "a client whose request was being worked on saw its connection closed");
    checkFails("dies", "in-line", "a client that was connected, its request sent, and not yet accepted");
}

TEST_CASE("drain_check: a server that stays when asked to end is found") {
    checkFails("stays", "idle-exit", "had nothing to do, and stayed");
    checkFails("stays", "signal-during-start", "was swallowed");
}

TEST_CASE("drain_check: a server that says failure after a good end is found") {
    checkFails("wrong-code", "idle-exit", "takes for a failure");
}

TEST_CASE("drain_check: a server that crashes when asked to end is found") {
    checkFails("crashes", "idle-exit", "the process crashed: killed by SIGABRT");
}

TEST_CASE("drain_check: a server that exits without its clients is found") {
    checkFails("hasty", "in-flight", "a client whose request was being worked on saw its connection closed");
    // Long requests, so that the signal finds some of them waiting on a busy machine, too.
    const Checked::Line line =
        runCheck({"--only=queued", "--path=/?work={ms}", "--timeout=30s"}, {CARELESS_SERVER, "hasty", "{port}"}).of("queued");
    CAPTURE(line.figure, line.remark);
    CHECK(line.result == "fail");
    CHECK(line.remark.find("a client whose request was sent before the signal") != std::string::npos);
}

TEST_CASE("drain_check: a server that goes on taking clients is found") {
    checkFails("keeps-listening", "new-connections", "a client that came long after the signal got 200");
}

TEST_CASE("drain_check: a server is not blamed for clients that came before it could act") {
    const Checked::Line late = carelessIn("dawdles", "new-connections");
    CAPTURE(late.figure, late.remark);
    CHECK(late.result == "pass");
    CHECK(late.figure.starts_with("after "));
}

TEST_CASE("drain_check: clients that a server loses before the signal are not laid to its shutdown") {
    const Checked::Line line = runCheck({"--only=busy-keep-alive", "--path=/?work={ms}", "--timeout=1s", "--clients=1", "--rounds=1"},
                                        {CARELESS_SERVER, "drops-one", "{port}"})
                                   .of("busy-keep-alive");
    CAPTURE(line.figure, line.remark);
    CHECK(line.result == "pass");
}

TEST_CASE("drain_check: a server that waits for idle clients is found") {
    checkFails("waits-for-idle", "idle-keep-alive", "8 clients were connected and idle");
    checkFails("waits-for-idle", "silent", "4 clients were connected and had sent nothing");
    checkFails("waits-for-idle", "half-header", "one slow client held the process beyond its deadline");
}

TEST_CASE("drain_check: a server that waits for ever for who trickles, or does not read, is found") {
    checkFails("waits-for-idle", "trickled-header", "one slow client held the process beyond its deadline");
    checkFails("waits-for-idle", "slow-reader", "does not read its answers held the process beyond its deadline");
}

TEST_CASE("drain_check: a server that resets who connects while the signal comes is found") {
    checkFails("dies", "burst", "a client that connected while the signal came got no answer");
}

TEST_CASE("drain_check: a server that never says that it is not ready is found") {
    const auto readiness = [](const std::string& fault) {
        return runCheck({"--only=readiness", "--path=/?work={ms}", "--ready-path=/ready", "--timeout=1s",
                         "--refusal-limit=300ms"},
                        {CARELESS_SERVER, fault, "{port}"})
            .of("readiness");
    };
    CHECK(readiness("none").result == "pass");
    const auto line = readiness("stays-ready");
    CHECK(line.result == "fail");
    CHECK(line.remark.find("never heard \"not ready\"") != std::string::npos);
    CHECK(readiness("keeps-listening").result == "pass");  // it says so, which is all that is asked for here
}

TEST_CASE("drain_check: a server that loses an upload is found") {
    CHECK(carelessIn("none", "slow-upload").result == "pass");
    checkFails("hasty", "slow-upload", "a client in the middle of its upload saw its connection closed");
}

TEST_CASE("drain_check: a server that minds when others hang up is found") {
    if (slowdown != 1) {
        return; // its request in flight takes half of the second that the server has, which a sanitizer uses up
    }
    CHECK(carelessIn("none", "client-resets").result == "pass");
    checkFails("hasty", "client-resets", "others hung up, and a client in flight saw its connection closed");
    checkFails("forgets-resets", "client-resets", "clients that had hung up held the process");
}

TEST_CASE("drain_check: a restart that clients notice is found") {
    const auto restart = [](const std::string& fault, const std::string& scenario) {
        return runCheck({"--only", scenario, "--path=/?work={ms}", "--timeout=1s", "--restart-signal=HUP",
                         "--restart-limit=5s"},
                        {CARELESS_SERVER, fault, "{port}"})
            .of(scenario);
    };
    CHECK(restart("restarts", "restart-connections").result == "pass");
    CHECK(restart("rebinds", "restart-connections").result == "fail");
    CHECK(restart("restarts-broken", "restart-connections").result == "fail");
    CHECK(restart("restarts-hasty", "restart-keep-alive").result == "fail");
    CHECK(restart("restarts-broken", "restart-keep-alive").result == "fail");
    const auto dies = restart("dies", "restart-keep-alive");
    CHECK(dies.result == "fail");
    CHECK(dies.figure == "no restart");
}

TEST_CASE("drain_check: a server that sleeps after its last answer is found") {
    checkFails("slow-exit", "last-response", "all was answered, and the process stayed");
}

TEST_CASE("drain_check: a server that does not say that it ends is found") {
    checkFails("keeps-alive", "close-announced", "may send its next request here");
    CHECK(carelessIn("none", "close-announced").result == "pass");
}

TEST_CASE("drain_check: a server that waits for ever for a request or takes no second signal is found") {
    checkFails("none", "deadline", "beyond its deadline");
    const Checked second = runCheck({"--only=second-signal", "--path=/?work={ms}", "--timeout=5s", "--force-limit=300ms"},
                                    {CARELESS_SERVER, "none", "{port}"});
    CHECK(second.of("second-signal").result == "fail");
    CHECK(second.of("second-signal").remark.find("pressed Ctrl-C twice") != std::string::npos);
}

TEST_CASE("drain_check: a server that spins without descriptors is found") {
    checkFails("spins", "descriptors", "did nothing but fail to accept them");
    if (slowdown == 1) { // where a sanitizer unwinds the stack, each accept that fails costs milliseconds
        CHECK(carelessIn("none", "descriptors").result == "pass");
    }
}

TEST_CASE("drain_check: a server that outlives what has started it is found") {
    const Checked checked = runCheck({"--only=idle-exit", "--path=/?work={ms}", "--timeout=1s", "--exit-limit=500ms"},
                                     {"sh", "-c", CARELESS_SERVER " stays {port}; true"});
    CHECK(checked.of("idle-exit").result == "fail");
    CHECK(checked.of("idle-exit").remark.find("one that it has started serves on") != std::string::npos);
}

TEST_CASE("drain_check: a server that crashes is found by every scenario that ends it") {
    checkFails("crashes", "second-signal", "the process crashed");
    checkFails("crashes", "signal-during-start", "the process crashed");
}

TEST_CASE("drain_check: a path that ignores its parameter and one that is no stream prove nothing") {
    const Checked checked =
        runCheck({"--only=deadline,stream", "--path=/?work=250&ignored={ms}", "--stream-path=/?ignored={ms}",
                  "--timeout=1s"},
                 {CARELESS_SERVER, "none", "{port}"});
    CHECK(checked.of("deadline").result == "n/a");
    CHECK(checked.of("deadline").remark.find("takes no longer with a larger {ms}") != std::string::npos);
    CHECK(checked.of("stream").result == "n/a");
    CHECK(checked.of("stream").remark.find("no answer that takes its time") != std::string::npos);
}

TEST_CASE("drain_check: a server that listens before it serves is waited for") {
    CHECK(carelessIn("loads", "in-flight").result == "pass");
    CHECK(carelessIn("loads", "last-response").result == "pass");
}

TEST_CASE("drain_check: the beginning of an answer is not taken for the answer") {
    checkFails("early-header", "in-flight", "a client whose request was being worked on got half an answer");
}

TEST_CASE("drain_check: a stream that looks whole when it is cut is found") {
    const auto stream = [](const std::string& fault) {
        return runCheck({"--only=stream", "--path=/?work={ms}", "--stream-path=/?stream={ms}", "--timeout=1s"},
                        {CARELESS_SERVER, fault, "{port}"})
            .of("stream");
    };
    CHECK(stream("none").result == "pass");
    Checked::Line line;
    for (int i = 0; i < 5 && line.result != "fail"; ++i) { // on a busy machine a stream may be over before the signal
        line = stream("dies");
    }
    CHECK(line.result == "fail");
    CHECK(line.remark.find("got the beginning, and took it for all") != std::string::npos);
}
