#include "catch.h"
#include "process.h"
#include "stage.h"
#include "skip.h"

#include <regex>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

std::vector<std::string> verify(std::vector<std::string> options) {
    options.insert(options.begin(), {SOURCE_DIR "/06_docker/verify", "--programs", STAGE_BIN_DIR});
    return options;
}

/// Runs it on processes; -1 if something is not installed, and the test is to return.
int onProcesses(const std::vector<std::string>& options, std::string& said,
                const std::vector<std::string>& environment = {}) {
    std::vector<std::string> all{"--on=process", "--count", "100"};
    all.insert(all.end(), options.begin(), options.end());
    const Process run(verify(all), {.environment = environment});
    const int code = run.waitForExit(120s).code;
    said = run.standardOutput();
    for (const CapturedLine& line : run.standardError()) {
        said += line.text + "\n";
    }
    if (code == 69 && said.find("please install") != std::string::npos) {
        const std::size_t please = said.find("please");
        skip(said.substr(please, said.find('\n', please) - please));
        return -1;
    }
    return code;
}

} // namespace

TEST_CASE("06: a rolling update of processes under load loses nothing") {
    std::string said;
    const int code = onProcesses({"--work", "1s"}, said);
    CAPTURE(said);
    if (code != -1) {
        CHECK(code == 0);
        CHECK(said.find("Equal: nothing is lost.") != std::string::npos);
    }
}

TEST_CASE("06: without a lame duck nothing is lost, and the load balancer had to go to another replica") {
    const auto redispatched = [](const std::string& lameDuck, const std::string& interval) -> long {
        std::string said;
        const int code = onProcesses({"--work", "1s", "--lame-duck", lameDuck}, said,
                                     {"LAB_CHECK_INTERVAL=" + interval});
        CAPTURE(said);
        if (code == -1) {
            return -1;
        }
        CHECK(code == 0);
        CHECK(std::regex_search(said, std::regex("latency +p50 \\S+s, p99 \\S+s, max \\S+s\n")));
        std::smatch counts;
        REQUIRE(std::regex_search(said, counts, std::regex("times at the same replica, ([0-9]+) at another")));
        return std::stol(counts[1]);
    };
    const long careless = redispatched("0s", "5s");
    if (careless != -1) {
        CHECK(careless > 0);
        CHECK(redispatched("1s", "200ms") == 0);
    }
}

TEST_CASE("06: a rolling update of naive processes loses increments and the comparison shows it") {
    std::string said;
    const int code = onProcesses({"--work", "3s", "--naive"}, said);
    CAPTURE(said);
    if (code != -1) {
        CHECK(code == 1);
        CHECK(said.find("increments are lost that clients had been promised") != std::string::npos);
        CHECK(said.find("100 with 200") != std::string::npos);
    }
}

TEST_CASE("06: verify refuses bad options in one line") {
    for (const std::vector<std::string>& options : {std::vector<std::string>{},
                                                    {"--on"},
                                                    {"--on", "moon"},
                                                    {"--on=process", "--count=0"},
                                                    {"--on", "process", "--rate", "0"},
                                                    {"--on", "process", "--count", "-1"},
                                                    {"--on", "process", "--work", "5"},
                                                    {"--on", "process", "--lame-duck", "10s"},
                                                    {"--on", "process", "--unheard-of"}}) {
        const Process run(verify(options));
        CHECK(run.waitForExit(10s).code == 64);
        CHECK(run.standardError().size() == 1);
    }
}

TEST_CASE("06: build-images builds nothing when it is asked for help") {
    const Process help({SOURCE_DIR "/06_docker/build-images", "--help"});
    CHECK(help.waitForExit(10s).code == 0);
    CHECK(help.standardOutput().find("Builds the images") == 0);
    CHECK(Process({SOURCE_DIR "/06_docker/build-images", "--moon"}).waitForExit(10s).code == 64);
}

TEST_CASE("06: verify on Kubernetes without a cluster says so") {
    const Process run(verify({"--on", "kubernetes"}), {.environment = {"KUBECONFIG=/nonexistent"}});
    CHECK(run.waitForExit(60s).code == 69);
    REQUIRE(run.standardError().size() == 1);
    const std::string line = run.standardError()[0].text;
    CHECK((line.find("kubectl") != std::string::npos ||
           line.find("no Kubernetes cluster") != std::string::npos));
}
