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
using lifecycle::ChildEnd;
using lifecycle::ListeningSocket;
using lifecycle::PollLoop;
using lifecycle::RestartChannel;
using lifecycle::RestartMessage;
using lifecycle::Successor;
using lifecycle::SuccessorPlan;

namespace {

/// Starts a shell as the new generation; why it was not taken, "" if it serves.
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
        Successor::Callbacks{.serving = [&] { loop.stop(); },
                             .failed =
                                 [&](const std::string& reason, const ChildEnd&) {
                                     verdict = reason;
                                     loop.stop();
                                 },
                             .gone = [](const ChildEnd&) {},
                             .said = [](const RestartMessage&) {}});
    successor->start(plan);
    loop.run();
    const pid_t pid = successor->pid();
    successor.reset();
    CHECK(::kill(pid, 0) == -1); // reaped
    return verdict;
}

} // namespace

TEST_CASE("library: a new generation that ends says how") {
    CHECK(verdictOn("exit 7") == "exit code 7");
    CHECK(verdictOn("exit 0") == "exit code 0");
    CHECK(verdictOn("kill -SEGV $$") == "killed by SIGSEGV");
}

TEST_CASE("library: a new generation that closes its pipe or says nothing is killed with the reason") {
    CHECK(verdictOn("exec 4<&-; exec sleep 60") == "closed the pipe without a word: killed");
    CHECK(verdictOn("exec sleep 60", 100ms) == "not serving after 100ms: killed");
}

TEST_CASE("library: a new generation finds what it was given and nothing else") {
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
    theirs.send({"nobody hears this"}); // and no signal kills
}

TEST_CASE("library: the last words of a process that has not heard all are heard") {
    RestartChannel::Ends ends = RestartChannel::make();
    {
        RestartChannel theirs(std::move(ends.theirs));
        ends.ours.send({"end"}); // never read
        theirs.send({"released"});
    }
    const auto last = ends.ours.receive();
    REQUIRE(last);
    CHECK(last->word == "released");
    CHECK_FALSE(ends.ours.receive().has_value());
    CHECK(ends.ours.ended());
}

namespace {

/// What the starter thinks of a `ready` with these fields; the child's end of the pipe is played here.
std::string verdictOnReady(const std::string& fields) {
    // printf has no way to a SEQPACKET socket but its descriptor: one write is one message.
    return verdictOn("printf 'ready\\n" + fields + "' >&4; exec sleep 60", 5s);
}

} // namespace

TEST_CASE("library: a new generation with another version or pid or socket is killed with the reason") {
    CHECK(verdictOnReady("version=9\\npid=1\\ninodes=1") == "speaks version 9 of the hand-over, not 2: killed");
    CHECK(verdictOnReady("version=2\\npid=1\\ninodes=1").find("says it is process 1, not ") == 0);
    CHECK(verdictOnReady("version=2\\npid='$$'\\ninodes=1").find("has other sockets (1) than it was given (") == 0);
}
