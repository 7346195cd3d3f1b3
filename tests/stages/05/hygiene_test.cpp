#include "catch.h"
#include "descriptors.h"
#include "proc.h"
#include "restart_server.h"
#include "time_limit.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

namespace fs = std::filesystem;

/// What a generation must not hand down or pile up.
struct Inheritance {
    std::multiset<std::string> descriptors; ///< what they are, connections and numbers aside
    unsigned long long blocked = 0;
    unsigned long long ignored = 0;
    std::string directory;
    std::set<std::string> environment;
};

/// Without the two signals that belong to the C library, which ignores them in a child on purpose.
unsigned long long signalMask(pid_t pid, const std::string& name) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    std::string word;
    while (file >> word && word != name + ":") {
    }
    file >> word;
    return std::strtoull(word.c_str(), nullptr, 16) & ~(3ULL << 31);
}

/// "socket" for every socket that is not the listener.
std::multiset<std::string> descriptors(pid_t pid) {
    const std::set<std::string> listening = listeningSockets(pid);
    std::multiset<std::string> kinds;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
        const std::string target = fs::read_symlink(entry.path(), gone).string();
        if (target.find("socket:") == 0) {
            kinds.insert(listening.count(target) != 0 ? "listener" : "socket");
        } else {
            kinds.insert(target.substr(0, target.find(':')));
        }
    }
    return kinds;
}

Inheritance look(pid_t pid) {
    Inheritance found;
    found.descriptors = descriptors(pid);
    found.blocked = signalMask(pid, "SigBlk");
    found.ignored = signalMask(pid, "SigIgn");
    found.directory = fs::read_symlink("/proc/" + std::to_string(pid) + "/cwd");
    std::ifstream file("/proc/" + std::to_string(pid) + "/environ");
    for (std::string variable; std::getline(file, variable, '\0');) {
        if (variable.find("LISTEN_") != 0) { // what it was started with, unset since then
            found.environment.insert(variable);
        }
    }
    return found;
}

/// Waits until its connections have ended, and nothing is open but what it always has.
std::multiset<std::string> settled(pid_t pid, const std::multiset<std::string>& expected) {
    eventually([&] { return descriptors(pid) == expected; }, 10s);
    return descriptors(pid);
}

} // namespace

TEST_CASE("05: ten generations hand down the same descriptors and signals and environment and directory") {
    raiseDescriptorLimit();
    RestartServer server({"--rollback-window=0s", "--keepalive-grace=100ms"});
    // All its threads have ended their start when a request has been answered.
    CHECK(server.greeting().find("generation=1") != std::string::npos);
    // One is where it takes requests for a restart, the other asks the kernel for handshakes under way.
    REQUIRE(eventually([&] { return descriptors(server.pid()).count("socket") == 2; }, 10s));
    const Inheritance first = look(server.pid());
    std::multiset<std::string> expected;
    for (int generation = 2; generation <= 1 + rounds(10); ++generation) {
        std::vector<Connection> open; // 200 of them, none of which may leak into the next generation
        for (int i = 0; i < 200; ++i) {
            open.push_back(server.connect());
            open.back().send(httpRequest("GET", "/healthz"));
        }
        for (Connection& connection : open) {
            REQUIRE(connection.readResponse(30s).status == 200);
        }
        const pid_t old = server.pid();
        const auto next = static_cast<pid_t>(server.restart(generation).number("pid"));
        CHECK(descriptors(next).count("socket") <= 3); // those and the channel to the old one
        REQUIRE(server.waitForEnd(old));
        if (generation == 2) {
            // The first one may have more, left open by the process that started it.
            REQUIRE(eventually(
                [&] {
                    expected = descriptors(next);
                    return std::includes(first.descriptors.begin(), first.descriptors.end(), expected.begin(),
                                         expected.end());
                },
                10s));
        }
        REQUIRE(settled(next, expected) == expected);
    }
    const Inheritance last = look(server.pid());
    CHECK(last.blocked == first.blocked);
    CHECK(last.ignored == first.ignored);
    CHECK(last.directory == first.directory);
    CHECK(last.environment == first.environment);
    CHECK(server.end() == 0);
}

TEST_CASE("05: a descriptor that a careless parent has left open goes to no next generation") {
    const RestartServer server({"bash", "-c", "exec 57</dev/null; exec \"$0\" \"$@\"", STAGE_BIN_DIR "/05_hot_restart"},
                               {"--rollback-window=0s"}, {});
    const auto has = [](pid_t pid) { return fs::is_symlink("/proc/" + std::to_string(pid) + "/fd/57"); };
    CHECK(has(server.pid()));
    server.restart(2);
    CHECK_FALSE(has(server.pid()));
}
