#include "catch.h"
#include "deadline.h"
#include "event_parser.h"
#include "probe.h"
#include "process.h"
#include "temp_dir.h"

#include "lifecycle/event_log.h"
#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::Clock;
using lifecycle::Duration;
using lifecycle::EventLog;
using lifecycle::FileDescriptor;
using lifecycle::test::Event;
using lifecycle::test::eventually;
using lifecycle::test::parseEvent;
using lifecycle::test::probe;
using lifecycle::test::Process;
using lifecycle::test::TempDir;

namespace {

/// A pipe as a log's reader sees it.
class Pipe {
public:
    Pipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        reader_ = FileDescriptor(ends[0]);
        writer_ = FileDescriptor(ends[1]);
        ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
    }

    int writer() const { return writer_.get(); }

    /// Writes dots until nothing more fits.
    void fill() {
        // Opened anew: O_NONBLOCK on this end alone, not on the one the log writes to.
        const std::string name = "/proc/self/fd/" + std::to_string(writer_.get());
        const FileDescriptor filler(::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        const std::string page(4096, '.');
        while (::write(filler.get(), page.data(), page.size()) > 0) {
        }
    }

    std::string read(std::size_t most = 1 << 20) {
        std::string all;
        std::array<char, 4096> bytes;
        while (all.size() < most) {
            const auto count = ::read(reader_.get(), bytes.data(), std::min(bytes.size(), most - all.size()));
            if (count <= 0) {
                break;
            }
            all.append(bytes.data(), static_cast<std::size_t>(count));
        }
        return all;
    }

    void closeReader() { reader_.reset(); }

private:
    FileDescriptor reader_;
    FileDescriptor writer_;
};

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all;
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        all.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    CHECK(begin == text.size()); // the last line is whole
    return all;
}

/// What one field looks like in the log, without the time, the word and the key.
std::string shown(std::string_view value) {
    Pipe pipe;
    EventLog events(pipe.writer());
    events.emit("word", {{"key", value}});
    const std::string line = pipe.read();
    const auto begin = line.find(" key=") + 5;
    REQUIRE(line.back() == '\n');
    return line.substr(begin, line.size() - 1 - begin);
}

template <typename Function>
Duration timeOf(Function function) {
    const auto begin = Clock::now();
    function();
    return Clock::now() - begin;
}

} // namespace

TEST_CASE("library: an event is one line of the time and a word and its fields") {
    Pipe pipe;
    EventLog events(pipe.writer());
    events.emit("ready", {{"port", 8080}, {"took", Duration(1'234'567)}, {"name", "a"}, {"pid", -1L}});
    events.emit("alone");
    const auto all = lines(pipe.read());
    REQUIRE(all.size() == 2);
    CHECK(all[0].substr(0, 3) == "+0.");
    CHECK(all[0].substr(6) == "s ready port=8080 took=1.2ms name=a pid=-1");
    CHECK(all[1].substr(6) == "s alone");
}

TEST_CASE("library: a value is quoted when it could be misread") {
    CHECK(shown("plain/path?x") == "plain/path?x");
    CHECK(shown("") == "\"\"");
    CHECK(shown("two words") == "\"two words\"");
    CHECK(shown("a=b") == "\"a=b\"");
    CHECK(shown("say \"hi\"") == R"("say \"hi\"")");
    CHECK(shown("back\\slash") == R"("back\\slash")");
    CHECK(shown("tab\there") == R"("tab\x09here")");
    CHECK(shown(std::string_view("nul\0end", 7)) == R"("nul\x00end")");
    CHECK(shown("\x1b[31mred") == R"("\x1b[31mred")");
    CHECK(shown("\x7f") == R"("\x7f")");
    CHECK(shown("gr\u00fc\u00dfe") == "gr\u00fc\u00dfe");
}

TEST_CASE("library: a client cannot forge a line") {
    const std::string path = "/x\n+0.001s exit code=0\r\n";
    Pipe pipe;
    EventLog events(pipe.writer());
    events.emit("request.begin", {{"path", path}});
    const auto all = lines(pipe.read());
    REQUIRE(all.size() == 1);
    CHECK(all[0].find("path=\"/x\\n+0.001s exit code=0\\x0d\\n\"") != std::string::npos);
}

TEST_CASE("library: a long value is shortened and says so") {
    CHECK(shown(std::string(512, 'x')) == std::string(512, 'x'));
    CHECK(shown(std::string(513, 'x')) == std::string(512, 'x') + "\u2026");
    CHECK(shown(std::string(600, ' ')) == '"' + std::string(512, ' ') + "\u2026\"");
}

TEST_CASE("library: a long value is not cut within a character") {
    const std::string value = std::string(511, 'x') + "\u00fc and more";
    CHECK(shown(value).substr(511) == "\u2026");
}

// What is longer is not written as one piece to a pipe, pipe(7).
TEST_CASE("library: no line is longer than the system writes at once") {
    const std::string hostile(10'000, '\n');
    Pipe pipe;
    EventLog events(pipe.writer());
    events.emit("word", {{"a", hostile}, {"b", hostile}, {"c", hostile}, {"d", hostile}});
    const std::string line = pipe.read();
    CHECK(line.size() <= PIPE_BUF);
    REQUIRE(lines(line).size() == 1);
    CHECK(parseEvent(lines(line)[0]));
}

TEST_CASE("library: a closed descriptor is no error and costs no time") {
    EventLog events([] {
        Pipe pipe;
        return pipe.writer();
    }());
    CHECK(timeOf([&] {
              for (int i = 0; i < 100; ++i) {
                  events.emit("word");
              }
          }) < 50 * EventLog::patience);
}

TEST_CASE("library: a reader that has stopped costs one patience and lines are counted") {
    Pipe pipe;
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
    Pipe pipe;
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
    Pipe pipe;
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
    Pipe pipe;
    EventLog events(pipe.writer());
    pipe.closeReader();
    CHECK(timeOf([&] {
              for (int i = 0; i < 100; ++i) {
                  events.emit("word");
              }
          }) < 50 * EventLog::patience);
    ::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("library: lines of many threads come whole and in the order of their times") {
    constexpr int threads = 8;
    constexpr int each = 500;
    Pipe pipe;
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
        REQUIRE(event->since_start.count() >= lastTime);
        lastTime = event->since_start.count();
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
    Pipe pipe;
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
    Pipe pipe;
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
    const auto first = [](const lifecycle::test::ProcessOptions& options) {
        return Process(probe("first_descriptor"), options).waitForExit(10s).code;
    };
    CHECK(first({.close_stdin = true}) >= 3);
    CHECK(first({.close_stdout = true}) >= 3);
    CHECK(first({.close_stderr = true}) >= 3);
    CHECK(first({.close_stdin = true, .close_stdout = true, .close_stderr = true}) >= 3);
}
