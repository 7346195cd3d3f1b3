// An event log that many write to at once.

#include "catch.h"
#include "event_parser.h"
#include "log_pipe.h"
#include "temp_dir.h"

#include "lifecycle/event_log.h"
#include "lifecycle/file_descriptor.h"

#include <fcntl.h>

#include <array>
#include <atomic>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;
using lifecycle::EventLog;
using lifecycle::FileDescriptor;

TEST_CASE("library: lines of many threads come whole and in the order of their times") {
    constexpr int threads = 8;
    constexpr int each = 500;
    LogPipe pipe;
    REQUIRE(::fcntl(pipe.writer(), F_SETPIPE_SZ, 1 << 20) == 1 << 20); // takes all of them
    EventLog events(pipe.writer());
    std::vector<std::thread> writers;
    for (int thread = 0; thread < threads; ++thread) {
        writers.emplace_back([&, thread] {
            for (int i = 0; i < each; ++i) {
                events.emit("line", {{"from", thread}, {"number", i}, {"filler", std::string(100, 'x')}});
            }
        });
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    events.emit("end");

    std::array<long long, threads> last{};
    last.fill(-1);
    double lastTime = 0;
    long long count = 0;
    for (const std::string& line : lines(pipe.read())) {
        const auto event = parseEvent(line);
        REQUIRE(event);
        REQUIRE(event->sinceStart.count() >= lastTime);
        lastTime = event->sinceStart.count();
        if (event->word == "line") {
            auto& lastNumber = last.at(static_cast<std::size_t>(event->number("from")));
            REQUIRE(event->number("number") > lastNumber);
            lastNumber = event->number("number");
            ++count;
        } else if (event->word == "events.dropped") {
            count += event->number("count"); // on a machine so crowded that a thread lost patience
        }
    }
    CHECK(count == threads * each);
}

TEST_CASE("library: lines of many threads come whole into a file") {
    constexpr int threads = 8;
    constexpr int each = 500;
    const TempDir directory;
    const FileDescriptor file(::open(directory.write("log", "").c_str(), O_WRONLY | O_CLOEXEC));
    EventLog events(file.get());
    std::vector<std::thread> writers;
    for (int thread = 0; thread < threads; ++thread) {
        writers.emplace_back([&, thread] {
            for (int i = 0; i < each; ++i) {
                events.emit("line", {{"from", thread}, {"number", i}});
            }
        });
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    std::array<long long, threads> next{};
    std::ifstream log(directory.path() / "log");
    for (std::string line; std::getline(log, line);) {
        const auto event = parseEvent(line);
        REQUIRE(event);
        REQUIRE(event->number("number") == next.at(static_cast<std::size_t>(event->number("from")))++);
    }
    for (const auto count : next) {
        CHECK(count == each);
    }
}

TEST_CASE("library: every line of many threads is heard or counted") {
    constexpr int threads = 8;
    constexpr int each = 50;
    LogPipe pipe;
    EventLog events(pipe.writer());
    pipe.fill();
    std::vector<std::thread> writers;
    for (int thread = 0; thread < threads; ++thread) {
        writers.emplace_back([&] {
            for (int i = 0; i < each; ++i) {
                events.emitWithin(2ms, "line", {});
            }
        });
    }
    for (std::thread& writer : writers) {
        writer.join();
    }
    pipe.read();
    events.emit("line");
    const auto all = lines(pipe.read());
    REQUIRE(all.size() == 2);
    CHECK(parseEvent(all[0])->number("count") == threads * each);
}

TEST_CASE("library: two processes that fill one pipe at the same moment do not hold each other") {
    // Each has a log of its own. Both see that there is room, for one.
    LogPipe pipe;
    REQUIRE(::fcntl(pipe.writer(), F_SETPIPE_SZ, 4096) == 4096);
    const std::string large(500, 'x');
    const auto emit = [&](EventLog& events) {
        events.emitWithin(1ms, "line", {{"a", large}, {"b", large}, {"c", large}, {"d", large}, {"e", large}});
    };
    EventLog one(pipe.writer());
    EventLog other(pipe.writer());
    for (int round = 0; round < 500; ++round) {
        pipe.read();
        std::atomic<int> there = 0;
        const auto atOnce = [&](EventLog& events) {
            ++there;
            while (there < 2) {
            }
            emit(events);
        };
        std::thread thread([&] { atOnce(other); });
        atOnce(one);
        thread.join();
    }
}
