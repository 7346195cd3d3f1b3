// --restart-of PIDFILE: a restart whose outcome is an exit code.

#include "catch.h"
#include "restart_server.h"
#include "stage.h"

#include <filesystem>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

const std::vector<std::string> controls{"--control=parent-exits", "--control=stable-pid"};

std::vector<std::string> command(const RestartServer& server) {
    return stage("05_hot_restart", {"--restart-of", server.directory() / "pid"});
}

/// The exit code, and the one line that it has printed.
void checkOutcome(const Process& process, int code, const std::string& part) {
    CHECK(process.waitForExit(30s).code == code);
    std::string text = process.standardOutput();
    for (const CapturedLine& line : process.standardError()) {
        text += line.text + "\n";
    }
    INFO(text);
    CHECK(text.find("05_hot_restart: ") == 0);
    CHECK(text.find(part) != std::string::npos);
    CHECK(text.find('\n') == text.size() - 1);
    CHECK(process.standardError().empty() == (code == 0));
}

void checkOutcome(const RestartServer& server, int code, const std::string& part) {
    const Process process(command(server));
    checkOutcome(process, code, part);
}

} // namespace

TEST_CASE("05: --restart-of returns 0 when the new generation serves for good") {
    for (const std::string& control : controls) {
        CAPTURE(control);
        RestartServer server({control, "--rollback-window=50ms"});
        for (int generation = 2; generation <= 4; ++generation) {
            const std::string word = "generation " + std::to_string(generation);
            checkOutcome(server, 0, word + " serves: process ");
            CHECK(server.greeting().find("generation=" + std::to_string(generation)) != std::string::npos);
            CHECK(server.waitForEvents("restart.requested", static_cast<std::size_t>(generation) - 1)
                      .number("sender_pid") > 1);
        }
        CHECK(server.end() == 0);
        CHECK_FALSE(std::filesystem::exists(server.directory() / "pid.sock"));
    }
}

TEST_CASE("05: --restart-of returns 70 and the reason when the start fails or is rolled back") {
    for (const std::string& control : controls) {
        CAPTURE(control);
        RestartServer server({control, "--rollback-window=20s"});
        server.configure("fault=exit7\n");
        checkOutcome(server, 70, "restart failed: exit code 7");
        server.configure("fault=ready-then-die=1ms\n");
        checkOutcome(server, 70, "rolled back: the new generation has exited: killed by SIGABRT");
        // The old generation, which serves again, can be asked again.
        server.configure("fault=crash\n");
        checkOutcome(server, 70, "restart failed: killed by SIGABRT");
        CHECK(server.greeting().find("generation=1") != std::string::npos);
        CHECK(server.end() == 0);
    }
}

TEST_CASE("05: --restart-of returns 70 and the reason when the restart is refused") {
    for (const std::string& control : controls) {
        CAPTURE(control);
        RestartServer server({control, "--rollback-window=0s"});
        std::vector<Connection> clients;
        for (int generation = 1; generation <= 2; ++generation) {
            clients.push_back(server.connect());
            clients.back().send(httpRequest("GET", "/hello?work=10m"));
            server.waitForEvents("request.begin", static_cast<std::size_t>(generation));
            checkOutcome(server, 0, "serves");
        }
        checkOutcome(server, 70, "restart refused: 3 generations are alive");
    }
}

TEST_CASE("05: --restart-of returns 69 when there is no service with that pid file") {
    checkOutcome(Process(stage("05_hot_restart", {"--restart-of=/nowhere/pid"})), 69, "no service");
    const TempDir directory;
    const std::string longPath = directory.path() / std::string(120, 'x');
    checkOutcome(Process(stage("05_hot_restart", {"--restart-of", longPath})), 69, "File name too long");
    for (const std::string& control : controls) {
        RestartServer server({control});
        server->signal(SIGKILL);
        server->waitForExit(10s);
        checkOutcome(server, 69, "Connection refused");
    }
}

TEST_CASE("05: --restart-of by several at once during a restart makes one more restart for all of them") {
    for (const std::string& control : controls) {
        CAPTURE(control);
        RestartServer server({control, "--rollback-window=0s"});
        server.configure("fault=slow-init=1500ms\n");
        server.signal(SIGHUP);
        server.waitForEvents("restart.spawned", control == controls[0] ? 1 : 2);
        server.waitForEvents("fault", 1);
        server.configure(""); // for the one after
        const Process one(command(server));
        const Process other(command(server));
        const Process third(command(server));
        checkOutcome(one, 0, "generation 3 serves: process ");
        checkOutcome(other, 0, "generation 3 serves: process ");
        checkOutcome(third, 0, "generation 3 serves: process ");
        CHECK(server.greeting().find("generation=3") != std::string::npos);
        CHECK(server.end() == 0);
    }
}

TEST_CASE("05: --restart-of returns 70 when the service shuts down or dies meanwhile") {
    for (const std::string& control : controls) {
        for (const int signal : {SIGTERM, SIGKILL}) {
            CAPTURE(control, signal);
            RestartServer server({control});
            server.configure("fault=slow-init=10m\n");
            const Process process(command(server));
            server.waitForEvents("restart.spawned", control == controls[0] ? 1 : 2);
            server->signal(signal);
            checkOutcome(process, 70, signal == SIGTERM ? "the service shuts down" : "exited before");
        }
    }
}

TEST_CASE("05: --restart-of returns 0 when USR2 ends the old generation within the rollback window") {
    RestartServer server({"--rollback-window=50s"});
    const Process process(command(server));
    server->waitForEvent("restart.handed_over");
    server->signal(SIGUSR2);
    checkOutcome(process, 0, "generation 2 serves: process ");
    CHECK(server->waitForExit(30s).code == 0);
    CHECK(server.greeting().find("generation=2") != std::string::npos);
}

TEST_CASE("05: --restart-of with stable-pid returns also when the generation that served dies meanwhile") {
    for (const std::string fault : {"slow-init=1s", "hang"}) {
        CAPTURE(fault);
        RestartServer server({controls[1], "--rollback-window=50s", "--start-timeout=3s"});
        const auto serving = static_cast<pid_t>(server.waitForGeneration(1).number("pid"));
        server.configure("fault=" + fault + "\n");
        const Process process(command(server));
        server->waitForEvent("fault");
        server.configure(""); // for the one after
        ::kill(serving, SIGKILL);
        if (fault == "hang") {
            checkOutcome(process, 70, "restart failed: not serving after 3s");
        } else {
            checkOutcome(process, 0, "generation 2 serves: process ");
        }
        CHECK(eventually([&] { return server.greeting().find("generation=") != std::string::npos; }, 30s));
        CHECK(server.end() == 0);
    }
}
