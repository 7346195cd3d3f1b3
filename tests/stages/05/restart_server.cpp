#include "restart_server.h"

#include "catch.h"
#include "stage.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace lifecycle::test {

using namespace std::chrono_literals;

RestartServer::RestartServer(const std::vector<std::string>& options, ProcessOptions process) {
    start(stage("05_hot_restart"), options, std::move(process));
}

RestartServer::RestartServer(const std::vector<std::string>& command, const std::vector<std::string>& options,
                             ProcessOptions process) {
    start(command, options, std::move(process));
}

void RestartServer::start(std::vector<std::string> command, const std::vector<std::string>& options,
                          ProcessOptions process) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    configure("");
    command.insert(command.end(), {"--port=0", "--work=0s", "--config", directory() / "config", "--pid-file",
                                   directory() / "pid"});
    command.insert(command.end(), options.begin(), options.end());
    stable_pid_ = std::any_of(options.begin(), options.end(), [](const std::string& option) {
        return option.find("stable-pid") != std::string::npos;
    });
    process_ = std::make_unique<LoggedProcess>(std::move(command), std::move(process));
    port_ = static_cast<int>(process_->waitForEvent("ready", 30s).number("port"));
    REQUIRE(pid() != 0);
}

void RestartServer::configure(const std::string& content) const {
    // Renamed into place: a generation may read it at any moment.
    std::filesystem::rename(directory_.write("config.next", content), directory() / "config");
}

RestartServer::~RestartServer() {
    const std::vector<pid_t> all = pids();
    process_.reset(); // kills the process group, which all of them are in
    for (const pid_t pid : all) {
        waitForEnd(pid, 10s);
    }
}

pid_t RestartServer::pid() const {
    std::ifstream file(directory() / "pid");
    pid_t pid = 0;
    file >> pid;
    return pid;
}

void RestartServer::signal(int number) const {
    const pid_t target = pid();
    REQUIRE(target > 1);
    ::kill(target, number);
}

Event RestartServer::waitForGeneration(int generation, Deadline deadline) const {
    return process_->waitForEvent(readyWord(), deadline, [generation](const Event& event) {
        return event.number("generation") == generation;
    });
}

Event RestartServer::restart(int generation) const {
    const std::vector<pid_t> before = pids();
    signal(SIGHUP);
    const auto isNew = [&before](const std::string& field) {
        return [&before, field](const Event& event) {
            return std::find(before.begin(), before.end(), event.number(field)) == before.end();
        };
    };
    process_->waitForEvent("restart.handed_over", 60s, isNew("new_pid"));
    const Event ready = process_->waitForEvent(readyWord(), 30s, isNew("pid"));
    CHECK(ready.number("generation") == generation);
    return ready;
}

Event RestartServer::waitForEvents(const std::string& word, std::size_t count, Deadline deadline) const {
    return process_->waitForEvent(word, deadline, {}, count);
}

Connection RestartServer::connect() const {
    Connection connection = Connection::to(port_);
    REQUIRE_FALSE(connection.error());
    return connection;
}

std::vector<pid_t> RestartServer::pids() const {
    std::vector<pid_t> pids;
    if (process_) {
        for (const Event& ready : process_->events(readyWord())) {
            pids.push_back(static_cast<pid_t>(ready.number("pid")));
        }
    }
    return pids;
}

bool RestartServer::waitForEnd(pid_t pid, Deadline deadline) const {
    if (process_ && pid == process_->pid()) {
        last_code_ = process_->waitForExit(deadline).code;
        return true;
    }
    return eventually(
        [&] {
            int status = 0;
            if (::waitpid(pid, &status, WNOHANG) == pid) {
                last_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
                return true;
            }
            return ::kill(pid, 0) == -1 && errno == ESRCH;
        },
        deadline);
}

int RestartServer::end(Deadline deadline) {
    const pid_t told = pid();
    signal(SIGTERM);
    int code = -1;
    for (const pid_t one : pids()) {
        REQUIRE(waitForEnd(one, deadline));
        if (one == told) {
            code = last_code_;
        }
    }
    if (told == process_->pid()) {
        code = process_->waitForExit(deadline).code;
    }
    return code;
}

LoadPlan postingClients(int port, int clients, Clock::duration thinkTime) {
    LoadPlan plan;
    plan.port = port;
    plan.clients = clients;
    plan.method = "POST";
    plan.target = "/echo";
    plan.body = "a body of some bytes";
    plan.thinkTime = thinkTime;
    plan.untilRefused = false;
    plan.answerTimeout = 30s;
    return plan;
}

void checkNothingLost(const LoadResult& result) {
    CAPTURE(result);
    CHECK(result.lost == 0);
    CHECK(result.timedOut == 0);
    CHECK(result.refused == 0);
    CHECK(result.failedConnects == 0);
    CHECK(result.answeredTotal() == result.answeredWith(200));
    CHECK(result.sent > 0);
}

bool isRefused(int port) {
    return eventually([port] { return Connection::to(port).error() == std::errc::connection_refused; },
                      std::chrono::seconds(10));
}

} // namespace lifecycle::test
