#include "catch.h"
#include "container.h"
#include "process.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

struct Run {
    int code;
    std::string said;
};

Run verify(const std::vector<std::string>& options) {
    std::vector<std::string> command{SOURCE_DIR "/06_docker/verify",
                                     "--programs",
                                     STAGE_BIN_DIR,
                                     "--count",
                                     "300",
                                     "--work",
                                     "3s"};
    command.insert(command.end(), options.begin(), options.end());
    const Process process(command);
    const int code = process.waitForExit(280s).code;
    return {code, process.log()};
}

void checkNothingIsLost(const std::string& target) {
    const Run run = verify({"--on", target});
    CAPTURE(run.said);
    CHECK(run.code == 0);
    WARN(run.said);
}

} // namespace

TEST_CASE("06: a rolling update of containers under load loses nothing") {
    if (dockerIsAvailable()) {
        checkNothingIsLost("docker");
    }
}

TEST_CASE("06: a rolling update of a swarm under load loses nothing") {
    if (dockerIsAvailable()) {
        checkNothingIsLost("swarm");
    }
}

TEST_CASE("06: a rolling update of a swarm that is naive loses increments") {
    if (!dockerIsAvailable()) {
        return;
    }
    const Run run = verify({"--on", "swarm", "--naive", "--work", "5s"});
    CAPTURE(run.said);
    CHECK(run.code == 1);
    CHECK(run.said.find("increments are lost that clients had been promised") != std::string::npos);
    WARN(run.said);
}
