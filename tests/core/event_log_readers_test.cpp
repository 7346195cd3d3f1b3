// An event log whose reader is slow, gone, or never was: the program goes on.

#include "catch.h"
#include "deadline.h"
#include "event_parser.h"
#include "log_pipe.h"
#include "probe.h"
#include "process.h"
#include "temp_dir.h"

#include "lifecycle/event_log.h"
#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::Clock;
using lifecycle::Duration;
using lifecycle::EventLog;
using lifecycle::FileDescriptor;

namespace {

template <typename Function>
Duration timeOf(Function function) {
    const auto begin = Clock::now();
    function();
    return Clock::now() - begin;
}

} // namespace

TEST_CASE("library: a closed descriptor is no error and costs no time") {
    EventLog events([] {
        LogPipe pipe;
        return pipe.writer();
    }());
    CHECK(timeOf([&] {
              for (int i = 0; i < 100; ++i) {
                  events.emit("word");
              }
          }) < 50 * EventLog::patience);
}

TEST_CASE("library: a reader that has stopped costs one patience and lines are counted") {
    LogPipe pipe;
    EventLog events(pipe.writer());
    pipe.fill();
    const Duration first = timeOf([&] { events.emit("lost.first"); });
    CHECK(first >= EventLog::patience);
    CHECK(first < 10 * EventLog::patience); // not for ever
    // Who has lost a line does not wait for each further one.
    CHECK(timeOf([&] {
              for (int i = 0; i < 9; ++i) {
                  events.emit("lost.more");
              }
          }) < 5 * EventLog::patience);

    pipe.read();
    events.emit("heard");
    events.emit("again");
    const auto all = lines(pipe.read());
    REQUIRE(all.size() == 3);
    CHECK(parseEvent(all[0])->word == "events.dropped");
    CHECK(parseEvent(all[0])->number("count") == 10);
    CHECK(parseEvent(all[1])->word == "heard");
    CHECK(parseEvent(all[2])->word == "again");
}

TEST_CASE("library: an event can be given less time") {
    LogPipe pipe;
    pipe.fill();
    Duration shortest = Duration::max(); // of some, as another process may have the processor
    for (int i = 0; i < 5; ++i) {
        EventLog events(pipe.writer());
        shortest = std::min(shortest, timeOf([&] { events.emitWithin(5ms, "exit", {}); }));
    }
    CHECK(shortest >= 5ms);
    CHECK(shortest < EventLog::patience);
}

TEST_CASE("library: a long line does not block in a pipe that is nearly full") {
    const std::string hostile(512, '\n');
    LogPipe pipe;
    EventLog events(pipe.writer());
    pipe.fill();
    pipe.read(4096); // room for one page
    std::atomic<bool> returned = false;
    std::thread writer([&] {
        events.emit("word", {{"a", hostile}, {"b", hostile}, {"c", hostile}, {"d", hostile}});
        returned = true;
    });
    CHECK(eventually([&] { return returned.load(); }, 5s));
    pipe.read();
    writer.join();
}

namespace {

/// Makes a log on a descriptor that cannot be opened anew, as after su the terminal of the user before.
std::unique_ptr<EventLog> logOfAnotherUser(int descriptor) {
    REQUIRE(::fchmod(descriptor, 0) == 0);
    const bool isRoot = ::geteuid() == 0;
    if (isRoot) { // who may open everything; for this thread alone
        ::setfsuid(65534);
    }
    auto events = std::make_unique<EventLog>(descriptor);
    if (isRoot) {
        ::setfsuid(0);
    }
    return events;
}

/// A terminal and its other end, which nobody reads.
struct Terminal {
    Terminal() {
        int ends[2];
        REQUIRE(::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) == 0);
        master = FileDescriptor(ends[0]);
        terminal = FileDescriptor(ends[1]);
        ::fcntl(master.get(), F_SETFL, O_NONBLOCK);
    }
    FileDescriptor master;
    FileDescriptor terminal;
};

/// Logs more than the terminal holds, and fails the test if that, or the log's destructor, takes forever.
void checkNotHeld(std::unique_ptr<EventLog> events, int master) {
    const std::string value(512, 'x');
    std::atomic<bool> returned = false;
    std::thread writer([&] {
        for (int i = 0; i < 1000; ++i) {
            events->emitWithin(1ms, "word", {{"value", value}});
        }
        events.reset();
        returned = true;
    });
    CHECK(eventually([&] { return returned.load(); }, 20s));
    std::array<char, 4096> bytes;
    while (!returned) {
        [[maybe_unused]] const auto ignored = ::read(master, bytes.data(), bytes.size());
    }
    writer.join();
}

} // namespace

TEST_CASE("library: a terminal that nobody reads does not block") {
    const Terminal unread;
    checkNotHeld(std::make_unique<EventLog>(unread.terminal.get()), unread.master.get());
}

TEST_CASE("library: a terminal of another user that nobody reads does not block") {
    const Terminal unread;
    checkNotHeld(logOfAnotherUser(unread.terminal.get()), unread.master.get());
}

TEST_CASE("library: a line to a pipe of another user is there when emit returns") {
    LogPipe pipe;
    const auto events = logOfAnotherUser(pipe.writer());
    for (int i = 0; i < 20; ++i) {
        events->emit("line", {{"number", i}});
        const std::string said = pipe.read();
        CAPTURE(said);
        const auto all = lines(said);
        REQUIRE(all.size() == 1);
        CHECK(parseEvent(all[0])->number("number") == i);
    }
}

TEST_CASE("library: lines that a pipe of another user does not take are counted") {
    LogPipe pipe;
    pipe.fill();
    const auto events = logOfAnotherUser(pipe.writer());
    events->emitWithin(5ms, "held", {}); // is written when there is room
    events->emitWithin(5ms, "lost", {});
    events->emitWithin(5ms, "lost", {});
    std::string late;
    REQUIRE(eventually([&] { return (late += pipe.read()).find(" held\n") != std::string::npos; }, 10s));
    int number = 0; // the thread may not have noticed yet that its line is written: then the next one is lost, too
    std::string said;
    REQUIRE(eventually(
        [&] {
            events->emit("heard", {{"number", number++}});
            said = pipe.read();
            return !said.empty();
        },
        10s));
    const auto all = lines(said);
    REQUIRE(all.size() >= 2);
    CHECK(parseEvent(all[0])->word == "events.dropped");
    REQUIRE(parseEvent(all[1])->word == "heard");
    CHECK(parseEvent(all[0])->number("count") == 2 + parseEvent(all[1])->number("number")); // not "held", which came out
}

TEST_CASE("library: lines that the disk does not take are counted and half a line is ended") {
    const TempDir directory;
    const FileDescriptor file(::open(directory.write("log", "").c_str(), O_WRONLY | O_CLOEXEC));
    EventLog events(file.get());
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit full{40, before.rlim_max};
    events.emit("first");
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0); // raises SIGXFSZ, which would end the process
    events.emit("half", {{"value", std::string(100, 'x')}});
    events.emit("lost");
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    events.emit("heard");
    events.emit("again");

    std::ifstream log(directory.path() / "log");
    std::vector<std::string> all;
    for (std::string line; std::getline(log, line);) {
        all.push_back(line);
    }
    REQUIRE(all.size() == 5);
    CHECK(parseEvent(all[0])->word == "first");
    CHECK(parseEvent(all[1])->word == "half");
    CHECK(parseEvent(all[2])->word == "events.dropped");
    CHECK(parseEvent(all[2])->number("count") == 2);
    CHECK(parseEvent(all[3])->word == "heard");
    CHECK(parseEvent(all[4])->word == "again");
}

TEST_CASE("library: a reader that is gone is no error and raises no signal") {
    REQUIRE(::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    sigset_t pipeSignal;
    sigset_t before;
    sigemptyset(&pipeSignal);
    sigaddset(&pipeSignal, SIGPIPE);
    REQUIRE(::pthread_sigmask(SIG_UNBLOCK, &pipeSignal, &before) == 0);
    LogPipe pipe;
    EventLog events(pipe.writer());
    pipe.closeReader();
    CHECK(timeOf([&] {
              for (int i = 0; i < 100; ++i) {
                  events.emit("word");
              }
          }) < 50 * EventLog::patience);
    sigset_t after;
    REQUIRE(::pthread_sigmask(SIG_SETMASK, &before, &after) == 0);
    CHECK(sigismember(&after, SIGPIPE) == 0);
}

TEST_CASE("library: a socket that nobody reads does not hold the process") {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const FileDescriptor reader(ends[0]);
    const FileDescriptor writer(ends[1]);
    EventLog events(writer.get());
    const auto begin = Clock::now();
    const std::string large(500, 'x');
    for (int i = 0; i < 2000; ++i) {
        events.emitWithin(1ms, "line", {{"a", large}});
    }
    CHECK(Clock::now() - begin < 20s);
    std::array<char, 6> bytes;
    REQUIRE(::recv(reader.get(), bytes.data(), bytes.size(), 0) == 6);
    CHECK(bytes[0] == '+');
}

TEST_CASE("library: a socket never gets the number of a closed standard stream") {
    const auto first = [](const ProcessOptions& options) {
        return Process(probe("first_descriptor"), options).waitForExit(10s).code;
    };
    CHECK(first({.closeStdin = true}) >= 3);
    CHECK(first({.closeStdout = true}) >= 3);
    CHECK(first({.closeStderr = true}) >= 3);
    CHECK(first({.closeStdin = true, .closeStdout = true, .closeStderr = true}) >= 3);
}
