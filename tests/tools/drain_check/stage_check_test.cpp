#include "catch.h"
#include "checked.h"
#include "temp_dir.h"
#include "time_limit.h"

#include <chrono>
#include <fstream>
#include <iterator>

using namespace lifecycle::check;
using namespace std::chrono_literals;

namespace {

const std::string stage03 = STAGE_BIN_DIR "/03_http_shutdown";

/// More time for a sanitizer's build.
std::string limitOption(const std::string& name) {
    return "--" + name + "=" + std::to_string(lifecycle::test::limit(1s).count()) + "s";
}

} // namespace

TEST_CASE("drain_check: stage 03 passes every scenario that applies to it") {
    const Checked checked = runCheck({"--path=/hello?work={ms}ms", "--ready-path=/readyz", "--timeout=1s", "--rounds=2",
                                      limitOption("exit-limit"), limitOption("idle-limit"), limitOption("force-limit")},
                                     {stage03, "--port={port}", "--timeout=1s"});
    INFO(checked.output << checked.errors);
    CHECK(checked.code == 0);
    int passed = 0;
    for (const auto& [name, line] : checked.scenarios) {
        passed += line.result == "pass" ? 1 : 0;
    }
    CHECK(passed == 20);
    CHECK(checked.of("stream").remark == "needs --stream-path");
    CHECK(checked.of("restart-keep-alive").remark == "needs --restart-signal");
    CHECK(checked.of("slow-upload").remark.find("--upload-path") != std::string::npos);
}

TEST_CASE("drain_check: stage 05 loses nothing at its end and nothing in a restart") {
    const lifecycle::test::TempDir folder;
    const Checked checked =
        runCheck({"--path=/hello?work={ms}ms", "--ready-path=/readyz", "--upload-path=/echo", "--timeout=2s",
                  "--rounds=1", "--stream-path=/stream?chunks=2&every={ms}ms", "--restart-signal=HUP",
                  limitOption("idle-limit"),
                  "--only=in-flight,busy-keep-alive,slow-upload,stream,restart-connections,restart-keep-alive"},
                 {STAGE_BIN_DIR "/05_hot_restart", "--port={port}", "--keepalive-grace=100ms",
                  "--rollback-window=500ms", "--drain-timeout=2s", "--pid-file", folder.path() / "pid"});
    INFO(checked.output << checked.errors);
    CHECK(checked.code == 0);
    CHECK(checked.scenarios.size() == 6);
    for (const auto& [name, line] : checked.scenarios) {
        CAPTURE(name, line.remark);
        CHECK(line.result == "pass");
    }
    CHECK(checked.of("restart-connections").remark == "the same socket");
}

TEST_CASE("drain_check: stages 04 and 06 lose nothing at their end") {
    const lifecycle::test::TempDir folder;
    for (const std::vector<std::string>& stage :
         {std::vector<std::string>{STAGE_BIN_DIR "/04_hooks", "--port={port}", "--admin-port=0", "--db",
                                   folder.path() / "orders-{port}.db"},
          std::vector<std::string>{STAGE_BIN_DIR "/06_docker", "--port={port}", "--address=127.0.0.1"}}) {
        const Checked checked = runCheck({"--path=/hello?work={ms}ms", "--ready-path=/readyz", "--rounds=1",
                                          "--only=in-flight,readiness,burst,busy-keep-alive"}, stage);
        INFO(checked.output << checked.errors);
        CHECK(checked.code == 0);
        CHECK(checked.scenarios.size() == 4);
        for (const auto& [name, line] : checked.scenarios) {
            CAPTURE(name, line.remark);
            CHECK(line.result == "pass");
        }
    }
}

TEST_CASE("drain_check: plain Poco finishes what is in flight and fails what Poco forgets") {
    const Checked checked =
        runCheck({"--path=/hello?work={ms}ms", "--rounds=1", "--timeout=1s",
                  "--only=in-flight,busy-keep-alive,close-announced,deadline"},
                 {stage03, "--port={port}", "--strategy=stopall"});
    INFO(checked.output << checked.errors);
    CHECK(checked.code == 1);
    CHECK(checked.of("in-flight").result == "pass");
    CHECK(checked.of("busy-keep-alive").result == "fail");
    const std::string remark = checked.of("busy-keep-alive").remark; // either, as it happens
    CHECK((remark.find("on a connection that was open") != std::string::npos ||
           remark.find("never came to its end") != std::string::npos));
    CHECK(checked.of("close-announced").figure == "keep-alive");
    CHECK(checked.of("deadline").figure == "> 2s");
    CHECK(checked.output.find("FAIL") != std::string::npos);
}

TEST_CASE("drain_check: plain Poco loses who is in line to be accepted") {
    const Checked checked = runCheck({"--path=/hello?work={ms}ms", "--timeout=1s", "--only=in-line", "--rounds=50"},
                                     {stage03, "--port={port}", "--strategy=stopall"});
    INFO(checked.output << checked.errors);
    CHECK(checked.of("in-line").result == "fail");
    CHECK(checked.of("in-line").remark.find("not yet accepted") != std::string::npos);
}

TEST_CASE("drain_check: a server without a path that takes time gets the scenarios that need none") {
    const Checked checked =
        runCheck({"--path=/healthz", "--only=idle-exit,in-flight,silent"}, {stage03, "--port", "{port}"});
    CHECK(checked.code == 0);
    CHECK(checked.of("idle-exit").result == "pass");
    CHECK(checked.of("silent").result == "pass");
    CHECK(checked.of("in-flight").result == "n/a");
    CHECK(checked.of("in-flight").remark == "needs {ms} in --path");
    const Checked useless = runCheck({"--path=/healthz?x={ms}", "--only=in-flight"}, {stage03, "--port", "{port}"});
    CHECK(useless.of("in-flight").remark == "the answer to --path takes no longer with a larger {ms}");
}

TEST_CASE("drain_check: a run can be drawn") {
    const lifecycle::test::TempDir folder;
    const std::string svg = folder.path() / "run.svg";
    const Checked checked = runCheck({"--path=/hello?work={ms}ms", "--only=queued", "--clients=6", "--timeline", svg},
                                     {stage03, "--port={port}", "--threads=2"});
    CHECK(checked.code == 0);
    std::ifstream file(svg);
    const std::string picture(std::istreambuf_iterator<char>(file), {});
    CHECK(picture.find("queued: 6 of 6: requests: 6 served; SIGTERM at") != std::string::npos);
    CHECK(picture.find("listener closed") != std::string::npos);
    CHECK(picture.find("client 6") != std::string::npos);
}
