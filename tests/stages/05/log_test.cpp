// The log of a service whose processes replace each other: which process wrote a line, and what a rotation does.

#include "catch.h"
#include "process.h"
#include "stage.h"
#include "temp_dir.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines(const fs::path& path) {
    std::ifstream file(path);
    std::vector<std::string> all;
    for (std::string line; std::getline(file, line);) {
        all.push_back(line);
    }
    return all;
}

bool comesInto(const fs::path& path, const std::string& text) {
    return eventually([&] { return content(path).find(text) != std::string::npos; }, 30s);
}

/// Stage 05 with --log.
class LoggingServer {
public:
    explicit LoggingServer(const std::string& control)
        : process_(stage("05_hot_restart", {"--port=0", "--rollback-window=0s", "--control", control, "--pid-file",
                                            pidFile(), "--log", log()})) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        REQUIRE(comesInto(log(), " ready port="));
    }

    ~LoggingServer() {
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }

    std::string pidFile() const { return directory_.path() / "pid"; }
    fs::path log() const { return directory_.path() / "log"; }
    fs::path rotated() const { return directory_.path() / "log.1"; }

    void signal(int number) const { ::kill(std::atoi(content(pidFile()).c_str()), number); }

    void end() const {
        signal(SIGTERM);
        CHECK(eventually([&] { return !fs::exists(pidFile()); }, 30s));
    }

private:
    TempDir directory_;
    Process process_;
};

} // namespace

TEST_CASE("05: each line names the generation that logged it") {
    const LoggingServer server("parent-exits");
    server.signal(SIGHUP);
    REQUIRE(comesInto(server.log(), " exit code=0 generation=1\n"));
    server.end();
    REQUIRE(comesInto(server.log(), " exit code=0 generation=2\n"));
    for (const std::string& line : lines(server.log())) {
        INFO(line);
        const std::size_t first = line.find(" generation=");
        CHECK(first != std::string::npos);
        CHECK(line.find(" generation=", first + 1) == std::string::npos);
    }
}

TEST_CASE("05: with a stable pid each line is from one generation or from the supervisor") {
    const LoggingServer server("stable-pid");
    server.signal(SIGHUP);
    REQUIRE(comesInto(server.log(), " exit code=0 generation=1\n"));
    server.end();
    REQUIRE(comesInto(server.log(), " exit code=0 generation=2\n"));
    REQUIRE(comesInto(server.log(), " exit code=0 role=supervisor\n"));
    for (const std::string& line : lines(server.log())) {
        INFO(line);
        const bool fromSupervisor = line.find(" role=supervisor") != std::string::npos;
        CHECK((fromSupervisor || line.find(" generation=") != std::string::npos));
        CHECK((fromSupervisor || line.find(" ready ") == std::string::npos)); // whose generation= is about another one
    }
}

TEST_CASE("05: after a log rotation USR1 makes the service write to the new file and so does a restart") {
    for (const std::string control : {"parent-exits", "stable-pid"}) {
        CAPTURE(control);
        const LoggingServer server(control);
        fs::rename(server.log(), server.rotated());
        server.signal(SIGUSR1);
        REQUIRE(comesInto(server.log(), " log.reopened generation=1\n"));
        const std::string before = content(server.rotated());
        server.signal(SIGHUP);
        REQUIRE(comesInto(server.log(), " generation=2"));
        REQUIRE(comesInto(server.log(), " exit code=0 generation=1\n"));
        CHECK(content(server.rotated()) == before);

        fs::rename(server.log(), server.rotated());
        server.signal(SIGHUP);
        REQUIRE(comesInto(server.log(), "ready port="));
        server.end();
    }
}

TEST_CASE("05: a log that is no regular file is refused at the start") {
    const TempDir directory;
    const Process process(stage("05_hot_restart", {"--port=0", "--log", directory.path()}));
    CHECK(process.waitForExit(30s).code == 69);
    REQUIRE(process.standardError().size() == 1);
    CHECK(process.standardError()[0].text ==
          "05_hot_restart: cannot open " + directory.path().string() + ": Is a directory");
}
