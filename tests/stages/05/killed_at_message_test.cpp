// A process is killed at each message of the hand-over. Afterwards exactly one generation accepts clients, the pid file
// leads to it, and TERM to that ends the service and frees the port; or, where nobody can be left, the port is free.

#include "catch.h"
#include "preload.h"
#include "proc.h"
#include "process_table.h"
#include "restart_server.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

enum class Left { one, nobody };

struct Case {
    std::string moment; ///< see dies_at_message.cpp
    Left left = Left::one;
};

/// The four moments of a message from one generation to another.
std::vector<Case> momentsOf(const std::string& word, int sender, int receiver, Left ifSenderDies = Left::one,
                            Left ifReceiverDies = Left::one) {
    const std::string from = std::to_string(sender);
    const std::string to = std::to_string(receiver);
    return {{from + " sends " + word, ifSenderDies},
            {from + " sent " + word, ifSenderDies},
            {to + " receives " + word, ifReceiverDies},
            {to + " received " + word, ifReceiverDies}};
}

std::vector<Case> operator+(std::vector<Case> one, const std::vector<Case>& other) {
    one.insert(one.end(), other.begin(), other.end());
    return one;
}

/// The service in which a process dies at a message.
class Service {
public:
    explicit Service(const std::vector<std::string>& options)
        : server(options, {.environment = preload(DIES_AT_MESSAGE, {"DIES_AT=" + rule().string()})}),
          listener_(listeningSockets(server->pid())) {
        REQUIRE(listener_.size() == 1);
    }

    void dieAt(const std::string& moment) const {
        std::filesystem::rename(directory_.write("next", moment + "\n"), rule());
    }
    void waitForDeath() const {
        REQUIRE(eventually([this] { return !std::filesystem::exists(rule()); }, 30s));
    }

    /// All generations, and the process that stays, if they live.
    std::vector<pid_t> living() const {
        std::vector<pid_t> pids;
        for (const ProcessEntry& process : processTable()) {
            if (process.group == server->pid() && process.state != 'Z') {
                pids.push_back(process.pid);
            }
        }
        return pids;
    }

    std::vector<pid_t> accepting() const {
        std::vector<pid_t> pids = living();
        std::erase_if(pids, [this](pid_t pid) { return !acceptsFrom(pid, *listener_.begin()); });
        return pids;
    }

    void checkThatOneServes(bool stablePid) const {
        // The state before that is transient: a process has just died.
        const bool one = eventually(
            [&] {
                const std::vector<pid_t> pids = accepting();
                return pids.size() == 1 && server.pid() == (stablePid ? server->pid() : pids.front()) &&
                       answersCome("pid=" + std::to_string(pids.front()) + " ");
            },
            30s);
        CHECK(one);
        server.signal(SIGTERM);
    }

    void checkThatNobodyIsLeft() const {
        CHECK(isRefused(server.port()));
        CHECK(eventually([this] { return living().empty(); }, 10s));
    }

    const TempDir directory_;
    const RestartServer server;

private:
    std::filesystem::path rule() const { return directory_.path() / "rule"; }

    bool answersCome(const std::string& part) const {
        for (int i = 0; i < 5; ++i) {
            if (server.greeting().find(part) == std::string::npos) {
                return false;
            }
        }
        return true;
    }

    const std::set<std::string> listener_;
};

using Step = std::function<void(const Service&)>;

void restartTo(const Service& service, int generation) {
    service.server.restart(generation);
}

/// Brings the service to where `act` has somebody send the message, for each of the cases.
void checkCases(const std::vector<std::string>& options, const Step& prepare, const Step& act,
                const std::vector<Case>& cases) {
    const bool stablePid = std::find(options.begin(), options.end(), "--control=stable-pid") != options.end();
    for (const Case& one : cases) {
        CAPTURE(one.moment);
        const Service service(options);
        prepare(service);
        service.dieAt(one.moment);
        act(service);
        service.waitForDeath();
        if (one.left == Left::one) {
            service.checkThatOneServes(stablePid);
        }
        service.checkThatNobodyIsLeft();
    }
}

const Step nothing = [](const Service&) {};
const Step restart = [](const Service& service) { service.server.signal(SIGHUP); };
const Step terminate = [](const Service& service) { service.server.signal(SIGTERM); };
const Step takeOver = [](const Service& service) { restartTo(service, 2); };

const std::string longWindow = "--rollback-window=30s";
const std::string shortWindow = "--rollback-window=10ms";
const std::string grace = "--keepalive-grace=10ms";

} // namespace

TEST_CASE("05: whoever is killed at a message of the first restart, one generation serves or the port is free") {
    checkCases({longWindow, grace}, nothing, restart,
               std::vector<Case>{{"0 sends start", Left::nobody}, // before there is a second process
                                 {"0 sent start", Left::nobody},
                                 {"2 receives start"},
                                 {"2 received start"}} +
                   momentsOf("ready", 2, 0) + momentsOf("serve", 0, 2) + momentsOf("serving", 2, 0));
    checkCases({shortWindow, grace}, nothing, restart, momentsOf("committed", 0, 2, Left::one, Left::nobody));
}

TEST_CASE("05: whoever is killed at a message within the rollback window, one generation serves or the port is free") {
    checkCases({longWindow, grace}, takeOver, restart, momentsOf("restart", 2, 0));
    checkCases({longWindow, grace}, takeOver, terminate,
               std::vector<Case>{{"2 sends released", Left::one}, // the clients are taken back
                                 {"2 sent released", Left::nobody},
                                 {"0 receives released", Left::nobody},
                                 {"0 received released", Left::nobody}});
    const Step terminateOld = [](const Service& service) { service.server->signal(SIGTERM); };
    checkCases({longWindow, grace}, takeOver, terminateOld,
               std::vector<Case>{{"0 sends shutdown", Left::one},
                                 {"0 sent shutdown", Left::nobody},
                                 {"2 receives shutdown", Left::nobody},
                                 {"2 received shutdown", Left::nobody}});
}

TEST_CASE("05: whoever is killed at a message of a restart while an older generation drains, one serves or the port is free") {
    const auto third = [](const std::string& window, const std::vector<Case>& cases) {
        for (const Case& one : cases) {
            CAPTURE(one.moment);
            const Service service({window, grace});
            Connection endless = service.server.connect();
            endless.send(httpRequest("GET", "/hello?work=10m"));
            service.server->waitForEvent("request.begin");
            restartTo(service, 2);
            service.server->waitForEvent("drain.begin");
            service.dieAt(one.moment);
            service.server.signal(SIGHUP);
            service.waitForDeath();
            if (one.left == Left::one) {
                service.checkThatOneServes(false);
            }
            CHECK(isRefused(service.server.port()));
            service.server->signal(SIGUSR2); // the one that drains
            service.checkThatNobodyIsLeft();
        }
    };
    third("--rollback-window=300ms",
          momentsOf("ready", 3, 2) + momentsOf("serve", 2, 3) + momentsOf("serving", 3, 2));
    third(shortWindow, momentsOf("committed", 2, 3, Left::one, Left::nobody));
}

TEST_CASE("05: with stable-pid a worker killed at a message of a restart costs no service and TERM ends it") {
    const std::string stablePid = "--control=stable-pid";
    const auto p = Left::nobody; // when the process that stays is killed
    checkCases({stablePid, longWindow, grace}, nothing, restart,
               momentsOf("start", 0, 2, p) + momentsOf("ready", 2, 0, Left::one, p) + momentsOf("serve", 0, 2, p) +
                   momentsOf("serving", 2, 0, Left::one, p) + momentsOf("retire", 0, 1, p) +
                   momentsOf("released", 1, 0, Left::one, p));
    checkCases({stablePid, shortWindow, grace}, nothing, restart, momentsOf("drain", 0, 1, p));
    const Step killServing = [](const Service& service) {
        ::kill(static_cast<pid_t>(service.server.waitForGeneration(2).number("pid")), SIGKILL);
    };
    checkCases({stablePid, longWindow, grace}, takeOver, killServing, momentsOf("resume", 0, 1, p));
}

TEST_CASE("05: a new generation that is told to end before the old one has heard that it serves ends the service") {
    const Service service({longWindow, grace});
    const pid_t starter = service.server->pid();
    service.dieAt("stop 2 receives serve");
    service.server.signal(SIGHUP);
    service.waitForDeath();
    const std::vector<pid_t> both = service.living();
    REQUIRE(both.size() == 2);
    const pid_t next = both.front() == starter ? both.back() : both.front();
    std::this_thread::sleep_for(100ms); // the old one waits for the next event
    service.server->signal(SIGSTOP);
    ::kill(next, SIGCONT);
    REQUIRE(eventually([&] { return service.server.pid() == next; }, 30s));
    service.server.signal(SIGTERM);
    REQUIRE(eventually([&] { return service.living() == std::vector{starter}; }, 30s));
    service.server->signal(SIGCONT);
    CHECK(service.server->waitForExit(10s).code == 0);
    service.checkThatNobodyIsLeft();
}

TEST_CASE("05: a forced exit while a process is being started leaves nobody behind") {
    const Service service({longWindow, grace});
    service.dieAt("hang 0 spawned process");
    service.server.signal(SIGHUP);
    service.waitForDeath();
    service.server->signal(SIGTERM);
    service.server->waitForEvent("signal", 10s, [](const Event& event) { return event.field("name") == "SIGTERM"; });
    std::this_thread::sleep_for(100ms); // two signals that come together are one
    service.server->signal(SIGTERM);
    CHECK(service.server->waitForExit(10s).code == 143);
    service.checkThatNobodyIsLeft();
}
