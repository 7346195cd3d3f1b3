// An event log whose reader is slow, gone, or never was: the program goes on.

#include "catch.h"
#include "deadline.h"
#include "event_parser.h"
#include "log_pipe.h"
#include "probe.h"
#include "process.h"

#include "lifecycle/event_log.h"
#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>

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

TEST_CASE("library: a terminal that nobody reads does not block") {
    int master = -1;
    int terminal = -1;
    REQUIRE(::openpty(&master, &terminal, nullptr, nullptr, nullptr) == 0);
    const FileDescriptor masterOwner(master);
    const FileDescriptor terminalOwner(terminal);
    EventLog events(terminal);
    const std::string value(512, 'x');
    std::atomic<bool> returned = false;
    std::thread writer([&] {
        for (int i = 0; i < 2000; ++i) {
            events.emitWithin(1ms, "word", {{"value", value}});
        }
        returned = true;
    });
    CHECK(eventually([&] { return returned.load(); }, 20s));
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    std::array<char, 4096> bytes;
    while (!returned) {
        [[maybe_unused]] const auto ignored = ::read(master, bytes.data(), bytes.size());
    }
    writer.join();
}

TEST_CASE("library: a reader that is gone is no error") {
    ::signal(SIGPIPE, SIG_IGN);
    LogPipe pipe;
    EventLog events(pipe.writer());
    pipe.closeReader();
    CHECK(timeOf([&] {
              for (int i = 0; i < 100; ++i) {
                  events.emit("word");
              }
          }) < 50 * EventLog::patience);
    ::signal(SIGPIPE, SIG_DFL);
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
    CHECK(first({.close_stdin = true}) >= 3);
    CHECK(first({.close_stdout = true}) >= 3);
    CHECK(first({.close_stderr = true}) >= 3);
    CHECK(first({.close_stdin = true, .close_stdout = true, .close_stderr = true}) >= 3);
}
