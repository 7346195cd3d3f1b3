// Debian's supervisord as it is, with the program section that is shipped beside the stage.

#include "catch.h"
#include "event_parser.h"
#include "http_client.h"
#include "process.h"
#include "stage.h"
#include "temp_dir.h"
#include "skip.h"

#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

std::string contentOf(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

/// supervisord with one program: the shipped section, apart from where the program is and which port
/// it takes.
class Supervisord {
public:
    explicit Supervisord(const std::string& control) {
        const std::string section = contentOf(SUPERVISOR_SECTION);
        const std::string command = stage("05_hot_restart").front() + " --port 0 --work 0s --rollback-window 100ms " +
                                    "--keepalive-grace 100ms --pid-file " + path("pid") + " --control " + control;
        std::string program =
            replaced(section, "/usr/local/bin/05_hot_restart --port 8080 --control stable-pid", command);
        program += "stderr_logfile=" + path("events") + "\n";
        const auto config = directory_.write(
            "supervisord.conf",
            "[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=" + path("supervisord.pid") +
                "\nchildlogdir=" + directory_.path().string() + "\n[unix_http_server]\nfile=" + path("control") +
                "\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                "supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://" +
                path("control") + "\n" + program);
        process_ = std::make_unique<Process>(std::vector<std::string>{"supervisord", "-n", "-c", config});
        REQUIRE(eventually([&] { return status().find("RUNNING") != std::string::npos && pid() != 0; }, 60s));
    }

    ~Supervisord() {
        for (const pid_t pid : {supervisedPid_, pid()}) { // supervisord gives each program a group of its own
            if (pid > 1) {
                ::kill(pid, SIGKILL);
            }
        }
    }

    std::string ctl(const std::vector<std::string>& arguments) const {
        std::vector<std::string> command{"supervisorctl", "-c", path("supervisord.conf")};
        command.insert(command.end(), arguments.begin(), arguments.end());
        const Process process(command);
        process.waitForExit(60s);
        return process.standardOutput();
    }

    /// "hot_restart    RUNNING   pid 4711, uptime 0:00:05"
    std::string status() {
        const std::string text = ctl({"status"});
        const auto at = text.find("pid ");
        if (at != std::string::npos) {
            supervisedPid_ = std::atoi(text.c_str() + at + 4);
        }
        return text;
    }

    /// What supervisord takes for the service.
    pid_t supervisedPid() {
        status();
        return supervisedPid_;
    }

    /// What the pid file says.
    pid_t pid() const { return std::atoi(contentOf(path("pid")).c_str()); }

    int port() const { return static_cast<int>(event("ready", 1).number("port")); }

    Event event(const std::string& word, std::size_t count) const {
        Event found;
        REQUIRE(eventually(
            [&] {
                std::size_t seen = 0;
                std::istringstream lines(contentOf(path("events")));
                for (std::string line; seen < count && std::getline(lines, line);) {
                    const auto event = parseEvent(line);
                    if (event && event->word == word) {
                        found = *event;
                        ++seen;
                    }
                }
                return seen == count;
            },
            60s));
        return found;
    }

private:
    std::string path(const std::string& name) const { return directory_.path() / name; }

    TempDir directory_;
    std::unique_ptr<Process> process_;
    pid_t supervisedPid_ = 0;
};

bool supervisordIsMissing() {
    try {
        Process({"supervisord", "--version"}).waitForExit(60s);
        return false;
    } catch (const std::system_error&) {
        skip("supervisor is not installed");
        return true;
    }
}

} // namespace

TEST_CASE("05: supervisord sees one process over restarts with stable-pid") {
    if (supervisordIsMissing()) {
        return;
    }
    Supervisord supervisord("stable-pid");
    const pid_t pid = supervisord.supervisedPid();
    CHECK(pid == supervisord.pid());
    for (std::size_t generation = 2; generation <= 3; ++generation) {
        supervisord.ctl({"signal", "HUP", "hot_restart"});
        CHECK(supervisord.event("ready", generation).number("generation") == static_cast<long long>(generation));
        supervisord.event("worker.ended", generation - 1);
        CHECK(supervisord.supervisedPid() == pid);
        CHECK(get(supervisord.port(), "/").body.find("generation=" + std::to_string(generation)) != std::string::npos);
    }
    supervisord.ctl({"stop", "hot_restart"});
    CHECK(supervisord.status().find("STOPPED") != std::string::npos);
    CHECK(supervisord.event("exit", 4).number("code") == 0); // two old ones, the last, and the one that stayed
    CHECK(Connection::to(supervisord.port()).error() == std::errc::connection_refused);
}

TEST_CASE("05: supervisord loses a service whose parent exits") {
    if (supervisordIsMissing()) {
        return;
    }
    Supervisord supervisord("parent-exits");
    supervisord.ctl({"signal", "HUP", "hot_restart"});
    supervisord.event("exit", 1);
    CHECK(eventually([&] { return supervisord.status().find("EXITED") != std::string::npos; }, 60s));
    CHECK(get(supervisord.port(), "/").body.find("generation=2") != std::string::npos); // and yet it serves
}
