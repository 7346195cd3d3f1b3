#include "catch.h"
#include "process.h"
#include "probe.h"

#include "lifecycle/signals.h"

#include <signal.h>

#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::parseSignal;
using lifecycle::parseSignalList;
using lifecycle::signalName;
using lifecycle::standardSignals;
using lifecycle::test::Event;
using lifecycle::test::probe;
using lifecycle::test::Process;

namespace {

std::string refusal(const std::string& list) {
    try {
        parseSignalList(list);
        return "";
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("library: a signal is read by name in any case with or without SIG or by number") {
    const std::vector<std::pair<std::string, int>> table{
        {"TERM", SIGTERM},   {"SIGTERM", SIGTERM}, {"sigterm", SIGTERM}, {"Term", SIGTERM},
        {"15", SIGTERM},     {"int", SIGINT},      {"2", SIGINT},        {"HUP", SIGHUP},
        {"SIGUSR1", SIGUSR1}, {"sigRtMin", SIGRTMIN}, {"SIGRTMIN+3", SIGRTMIN + 3},
        {"rtmin+1", SIGRTMIN + 1}, {"KILL", SIGKILL}, {std::to_string(SIGRTMAX), SIGRTMAX},
    };
    for (const auto& [text, number] : table) {
        CAPTURE(text);
        CHECK(parseSignal(text) == number);
    }
}

TEST_CASE("library: what is no signal is refused") {
    for (const std::string text :
         {"", "SIG", "TERMINATE", "SIGSIGTERM", "0", "-15", "+15", "65", "99999999999", "15x", " TERM",
          "TERM ", "0x0f", "1.5", "RTMIN+99", "\n"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parseSignal(text), std::invalid_argument);
    }
}

TEST_CASE("library: the name of every signal is read back") {
    for (int number = 1; number <= SIGRTMAX; ++number) {
        if (number < 32 || number >= SIGRTMIN) {
            CAPTURE(number);
            CHECK(parseSignal(signalName(number)) == number);
        }
    }
    CHECK(signalName(SIGTERM) == "SIGTERM");
    CHECK(signalName(SIGRTMIN + 3) == "SIGRTMIN+3");
    CHECK(signalName(99) == "signal 99");
    CHECK(signalName(32) == "signal 32");
}

TEST_CASE("library: the table of signals has each number once in order with its purpose") {
    int last = 0;
    for (const auto& signal : standardSignals()) {
        CHECK(signal.number == last + 1);
        last = signal.number;
        CHECK(signal.name.substr(0, 3) == "SIG");
        CHECK_FALSE(signal.purpose.empty());
        CHECK(signal.catchable == (signal.number != SIGKILL && signal.number != SIGSTOP));
    }
    CHECK(last == 31);
}

TEST_CASE("library: a list of signals keeps its order and names each once") {
    CHECK(parseSignalList("INT,TERM") == std::vector<int>{SIGINT, SIGTERM});
    CHECK(parseSignalList("15,sigint,TERM") == std::vector<int>{SIGTERM, SIGINT});
}

TEST_CASE("library: signals that nobody can wait for are refused with the reason") {
    CHECK(refusal("INT,KILL") == "\"KILL\" is refused: SIGKILL cannot be caught, blocked or waited "
                                 "for: the kernel acts on it by itself");
    CHECK(refusal("19").find("SIGSTOP cannot be caught") != std::string::npos);
    CHECK(refusal("32").find("C library") != std::string::npos);
    CHECK(refusal("33").find("C library") != std::string::npos);
    CHECK(refusal("INT,NOPE").find("\"NOPE\"") != std::string::npos);
    for (const std::string text : {"", ",", "INT,", ",INT", "INT,,TERM"}) {
        CAPTURE(text);
        CHECK(refusal(text).find("names no signal") != std::string::npos);
    }
}

TEST_CASE("library: who sent a signal is reported") {
    const Process waiting(probe("wait", {"INT,TERM,RTMIN"}));
    waiting.waitForEvent("ready");
    waiting.signal(SIGTERM);
    CHECK(waiting.waitForExit(10s).code == 0);
    const Event event = waiting.waitForEvent("signal");
    CHECK(event.field("name") == "SIGTERM");
    CHECK(event.number("number") == SIGTERM);
    CHECK(event.number("sender_pid") == ::getpid());
    CHECK(event.number("sender_uid") == ::getuid());
    CHECK_FALSE(event.has("note"));
}

TEST_CASE("library: a signal that came before the wait is taken at once") {
    const Process early(probe("early", {"USR1"}));
    CHECK(early.waitForExit(10s).code == 0);
    CHECK(early.waitForEvent("signal").field("name") == "SIGUSR1");
    CHECK(early.waitForEvent("signal").number("sender_pid") == early.pid());
}

TEST_CASE("library: an inherited ignore is undone") {
    std::vector<std::string> command{"/bin/sh", "-c", "trap '' INT; exec \"$@\"", "sh"};
    for (const std::string& word : probe("wait", {"INT"})) {
        command.push_back(word);
    }
    const Process waiting(command);
    waiting.waitForEvent("ready");
    waiting.signal(SIGINT);
    CHECK(waiting.waitForExit(10s).code == 0);
}

TEST_CASE("library: a crash handler of the program runs for a fault on a thread of the library") {
    CHECK(Process(probe("crash")).waitForExit(10s).code == 9);
}

TEST_CASE("library: a write to a client that is gone does not kill") {
    CHECK(Process(probe("broken_pipe")).waitForExit(10s).code == 0);
}
