// How a new generation is judged: the other side of the channel is played by /bin/sh, or by this test.

#include "catch.h"
#include "deadline.h"

#include "lifecycle/restart_channel.h"
#include "lifecycle/successor.h"

#include <Poco/Net/SocketAddress.h>

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

using namespace std::chrono_literals;
using lifecycle::ChildExit;
using lifecycle::ListeningSocket;
using lifecycle::PollLoop;
using lifecycle::RestartChannel;
using lifecycle::RestartMessage;
using lifecycle::Successor;
using lifecycle::SuccessorPlan;

namespace {

/// Starts a shell as the new generation; why it failed, "" if it serves.
std::string verdictOn(const std::string& script, lifecycle::Duration startTimeout = 30s) {
    PollLoop loop;
    std::string verdict;
    const ListeningSocket socket = ListeningSocket::listenOn({"127.0.0.1", 0});
    const SuccessorPlan plan{.command = {{"/bin/sh", "-c", script}, "/"},
                             .sockets = {&socket},
                             .startTimeout = startTimeout};
    std::unique_ptr<Successor> successor;
    successor = std::make_unique<Successor>(
        loop, plan,
        Successor::Callbacks{.onServing = [&] { loop.stop(); },
                             .onFailed =
                                 [&](const std::string& reason, const ChildExit&) {
                                     verdict = reason;
                                     loop.stop();
                                 },
                             .onExited = [](const ChildExit&) {},
                             .onMessage = [](const RestartMessage&) {}});
    successor->start(plan);
    loop.run();
    const pid_t pid = successor->pid();
    successor.reset();
    CHECK(::kill(pid, 0) == -1); // reaped
    return verdict;
}

} // namespace

TEST_CASE("library: a new generation that exits early is reported with its exit code or signal") {
    CHECK(verdictOn("exit 7") == "exit code 7");
    CHECK(verdictOn("exit 0") == "exit code 0");
    CHECK(verdictOn("kill -SEGV $$") == "killed by SIGSEGV");
}

TEST_CASE("library: a new generation that closes its channel or never reports is killed with the reason") {
    CHECK(verdictOn("exec 4<&-; exec sleep 60") == "closed its channel before it was ready: killed");
    CHECK(verdictOn("exec sleep 60", 100ms) == "not serving after 100ms: killed");
}

TEST_CASE("library: a new generation inherits the sockets and the channel and nothing else") {
    const std::string check = "[ $LISTEN_FDS = 2 ] && [ $LISTEN_FDNAMES = socket:restart ] && "
                              "[ -z \"$LISTEN_PID\" ] && [ -S /proc/self/fd/3 ] && [ -S /proc/self/fd/4 ] && "
                              "[ \"$PWD\" = / ]";
    CHECK(verdictOn(check + " && exit 42") == "exit code 42");
}

TEST_CASE("library: messages of a channel are kept whole and its end is seen") {
    RestartChannel::Ends ends = RestartChannel::make();
    RestartChannel theirs(std::move(ends.theirs));
    CHECK_FALSE(theirs.receive().has_value());
    CHECK_FALSE(theirs.ended());
    ends.ours.send({"start", {{"version", "1"}, {"text", "two words = one value"}, {"empty", ""}}});
    ends.ours.send({"serve"});
    const auto first = theirs.receive();
    REQUIRE(first);
    CHECK(first->word == "start");
    CHECK(first->number("version") == 1);
    CHECK(first->text("text") == "two words = one value");
    CHECK(first->number("text") == 0);
    CHECK(first->text("empty").empty());
    const auto second = theirs.receive();
    REQUIRE(second);
    CHECK(second->word == "serve");
    CHECK(second->fields.empty());
    { const RestartChannel gone = std::move(ends.ours); }
    CHECK_FALSE(theirs.receive().has_value());
    CHECK(theirs.ended());
    theirs.send({"lost"}); // and no signal kills
}

TEST_CASE("library: the last message of a process that exits with unread messages arrives") {
    RestartChannel::Ends ends = RestartChannel::make();
    {
        RestartChannel theirs(std::move(ends.theirs));
        ends.ours.send({"shutdown"}); // never read
        theirs.send({"released"});
    }
    const auto last = ends.ours.receive();
    REQUIRE(last);
    CHECK(last->word == "released");
    CHECK_FALSE(ends.ours.receive().has_value());
    CHECK(ends.ours.ended());
}

namespace {

/// How the starter judges a `ready` message with these fields, which the child sends.
std::string verdictOnReady(const std::string& fields) {
    // printf has no way to a SEQPACKET socket but its descriptor: one write is one message.
    return verdictOn("printf 'ready\\n" + fields + "' >&4; exec sleep 60", 5s);
}

} // namespace

TEST_CASE("library: a new generation with another version or pid or socket is killed with the reason") {
    CHECK(verdictOnReady("version=9\\npid=1\\ninodes=1") == "uses version 9 of the hand-over protocol, not 3: killed");
    CHECK(verdictOnReady("version=3\\npid=1\\ninodes=1").find("reports pid 1, not ") == 0);
    CHECK(verdictOnReady("version=3\\npid='$$'\\ninodes=1").find("reports sockets 1, but was given ") == 0);
}
