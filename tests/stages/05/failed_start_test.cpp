#include "catch.h"
#include "proc.h"
#include "restart_server.h"
#include "stage.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

namespace fs = std::filesystem;

/// The program by a name that the test can give to something else.
class Deployment {
public:
    Deployment() { deployProgram(); }

    std::vector<std::string> command() const { return {name()}; }
    std::string name() const { return directory_.path() / "server"; }

    void remove() const { fs::remove(name()); }
    void deployProgram() const {
        remove();
        fs::create_symlink(stage("05_hot_restart").front(), name());
    }
    void deployText(fs::perms permissions) const {
        remove();
        directory_.write("server", "this is no program\n");
        fs::permissions(name(), permissions);
    }

private:
    TempDir directory_;
};

/// A restart that fails under load, costs nothing, and leaves nothing behind.
void failsWith(RestartServer& server, const LoadClients& load, const std::string& reason) {
    INFO("expected: " << reason);
    const std::size_t before = server->events("restart.failed").size();
    const std::size_t answered = load.answered();
    const pid_t pid = server.pid();
    server.signal(SIGHUP);
    const Event failed = server.waitForEvents("restart.failed", before + 1, 60s);
    INFO(failed.line);
    CHECK(failed.field("reason").find(reason) != std::string::npos);
    CHECK(server.pid() == pid);
    CHECK(firstChild(pid) == 0); // not even a zombie
    REQUIRE(eventually([&] { return load.answered() > answered + 50; }, 30s));
}

} // namespace

TEST_CASE("05: a new generation that cannot be started or fails at once costs nothing") {
    const Deployment deployment;
    RestartServer server(deployment.command(), {}, {});
    LoadClients load(postingClients(server.port(), 8, 1ms));

    deployment.remove();
    failsWith(server, load, "No such file or directory");
    deployment.deployText(fs::perms::owner_read);
    failsWith(server, load, "Permission denied");
    deployment.deployText(fs::perms::owner_all);
    failsWith(server, load, "Exec format error");
    deployment.deployProgram();

    server.configure("fault=exit7\n");
    failsWith(server, load, "exit code 7");
    server.configure("fault=crash\n");
    failsWith(server, load, "killed by SIGABRT");
    server.configure("fault=silent\n");
    failsWith(server, load, "closed its channel before it was ready");
    server.configure("fault=nonsense\n");
    failsWith(server, load, "exit code 64");

    server.configure("message=good\nfault=slow-init=300ms\n");
    server.restart(2);
    REQUIRE(eventually([&] { return server.greeting().find("good") == 0; }, 30s));
    load.stop();
    checkNothingLost(load.wait());
    CHECK(server.end() == 0);
}

TEST_CASE("05: a new generation that hangs is killed after the start timeout and costs nothing") {
    RestartServer server({"--start-timeout=500ms"});
    LoadClients load(postingClients(server.port(), 8, 1ms));
    server.configure("fault=hang\n");
    failsWith(server, load, "not serving after 500ms: killed");
    load.stop();
    checkNothingLost(load.wait());
    CHECK(server.end() == 0);
}

TEST_CASE("05: a new program that knows nothing of the hand-over is refused") {
    const Deployment deployment;
    RestartServer server(deployment.command(), {"--start-timeout=500ms"}, {});
    LoadClients load(postingClients(server.port(), 8, 1ms));
    deployment.remove();
    fs::create_symlink("/bin/true", deployment.name());
    failsWith(server, load, "exit code");
    load.stop();
    checkNothingLost(load.wait());
}

TEST_CASE("05: a new generation that was ready and dies gives the clients back") {
    RestartServer server({"--message=old", "--rollback-window=20s"});
    LoadClients load(postingClients(server.port(), 8, 1ms));
    server.configure("message=new\nfault=ready-then-die=200ms\n");
    const pid_t pid = server.pid();
    server.signal(SIGHUP);
    const Event rollback = server.waitForEvents("restart.rollback", 1);
    CHECK(rollback.field("reason") == "killed by SIGABRT");
    CHECK(eventually([&] { return server.pid() == pid && firstChild(pid) == 0; }, 10s));
    CHECK(server.greeting() == "old pid=" + std::to_string(pid) + " generation=1\n");
    const std::size_t answered = load.answered();
    REQUIRE(eventually([&] { return load.answered() > answered + 200; }, 30s));
    load.stop();
    const LoadResult result = load.wait();
    CAPTURE(result);
    // The requests that were in the process which crashed, at most one per client.
    CHECK(result.lost <= 8);
    CHECK(result.refused == 0);
    CHECK(result.timedOut == 0);

    LoadClients next(postingClients(server.port(), 8, 1ms));
    server.configure("message=good\n");
    server.restart(2);
    CHECK(server.greeting().find("good") == 0);
    next.stop();
    checkNothingLost(next.wait());
    CHECK(server.end() == 0);
}

TEST_CASE("05: after five generations in a row that died no other is started for a while") {
    RestartServer server({"--rollback-window=300ms"});
    server.configure("fault=ready-then-die=1ms\n");
    for (std::size_t time = 1; time <= 5; ++time) {
        server.signal(SIGHUP);
        CHECK(server.waitForEvents("restart.rollback", time).number("in_a_row") == static_cast<long long>(time));
        CHECK(eventually([&] { return server.pid() == server->pid(); }, 10s));
    }
    server.configure("message=good\n");
    server.signal(SIGHUP);
    const Event refused = server.waitForEvents("restart.refused", 1);
    CHECK(refused.field("reason").find("5 new generations in a row have died") == 0);
    CHECK(server.greeting().find("generation=1") != std::string::npos);
    REQUIRE(eventually(
        [&] {
            const auto now = server->events("restart.handed_over").size();
            server.signal(SIGHUP);
            return eventually([&] { return server->events("restart.handed_over").size() > now; }, 500ms);
        },
        30s));
    CHECK(eventually([&] { return server.greeting().find("good") == 0; }, 10s));
}

TEST_CASE("05: at the limit of descriptors a restart fails and the service goes on") {
    RestartServer server;
    rlimit before{};
    REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &before) == 0);
    const rlimit none{3, before.rlim_max};
    REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &none, nullptr) == 0);
    server.signal(SIGHUP);
    const Event failed = server->waitForEvent("restart.failed");
    CHECK(failed.field("reason").find("Too many open files") != std::string::npos);
    CHECK(failed.field("note") == "this generation keeps serving");
    REQUIRE(::prlimit(server.pid(), RLIMIT_NOFILE, &before, nullptr) == 0);
    CHECK(server.greeting().find("generation=1") != std::string::npos);
    server.restart(2);
    CHECK(server.greeting().find("generation=2") != std::string::npos);
    CHECK(server.end() == 0);
}
