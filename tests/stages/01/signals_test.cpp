#include "catch.h"
#include "options_check.h"
#include "proc.h"
#include "process.h"
#include "stage.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <sstream>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// What the C library calls a signal. It prefers the older of the two names of SIGIO.
std::string nameOf(int number) {
    return number == SIGIO ? "SIGIO" : "SIG" + std::string(::sigabbrev_np(number));
}

/// Waits with `--signals list`, gets `number`, and must report it as `name`.
void checkTaken(const std::string& list, int number, const std::string& name) {
    CAPTURE(list, number);
    const Process process(stage("01_signals", {"--signals", list}));
    process.waitForEvent("ready");
    process.signal(number);
    CHECK(process.waitForExit(10s).code == 0);
    const Event event = process.waitForEvent("signal");
    CHECK(event.field("name") == name);
    CHECK(event.number("number") == number);
    CHECK(event.number("sender_pid") == ::getpid());
    CHECK(event.number("sender_uid") == ::getuid());
    CHECK(process.waitForEvent("exit").number("code") == 0);
}

std::string listOfSignals() {
    const Process process(stage("01_signals", {"--list"}));
    CHECK(process.waitForExit(10s).code == 0);
    return process.standardOutput();
}

} // namespace

TEST_CASE("01: HUP and INT and QUIT and TERM are waited for without any option") {
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
        const Process process(stage("01_signals"));
        CHECK(process.waitForEvent("ready").number("pid") == process.pid());
        process.signal(number);
        CHECK(process.waitForExit(10s).code == 0);
        CHECK(process.waitForEvent("signal").number("number") == number);
    }
}

TEST_CASE("01: a signal is named with or without SIG and in any case and by its number") {
    for (const char* name : {"TERM", "SIGTERM", "term", "sigterm", "SigTerm", "15"}) {
        checkTaken(name, SIGTERM, "SIGTERM");
    }
}

TEST_CASE("01: every signal of the list is waited for") {
    for (const int number : {SIGHUP, SIGUSR1, SIGWINCH}) {
        checkTaken("hup,SIGUSR1,28", number, nameOf(number));
    }
    checkTaken("TERM,TERM,15", SIGTERM, "SIGTERM");
}

TEST_CASE("01: real-time signals have names and numbers too") {
    checkTaken("RTMIN", SIGRTMIN, "SIGRTMIN");
    checkTaken("sigrtmin+3", SIGRTMIN + 3, "SIGRTMIN+3");
    checkTaken("64", SIGRTMAX, "SIGRTMIN+" + std::to_string(SIGRTMAX - SIGRTMIN));
}

TEST_CASE("01: what the list calls catchable can be waited for and the rest is refused") {
    std::istringstream lines(listOfSignals());
    std::string line;
    std::getline(lines, line); // the headings
    int rows = 0;
    while (std::getline(lines, line)) {
        std::istringstream columns(line);
        int number = 0;
        std::string name;
        columns >> number >> name;
        CAPTURE(line);
        CHECK(name == nameOf(number));
        if (number == SIGKILL || number == SIGSTOP) {
            CHECK(line.find(" no ") != std::string::npos);
        } else {
            CHECK(line.find(" yes ") != std::string::npos);
            checkTaken(name, number, name);
        }
        ++rows;
    }
    CHECK(rows == 31);
}

TEST_CASE("01: the list says what each signal does and what it is for") {
    const std::string list = listOfSignals();
    for (const char* part : {"number", "name", "default", "catchable", "what it is for"}) {
        CHECK(list.substr(0, list.find('\n')).find(part) != std::string::npos);
    }
    for (const char* row :
         {"SIGHUP     terminate", "SIGINT     terminate", "SIGQUIT    core dump",
          "SIGABRT    core dump", "SIGKILL    terminate  no", "SIGUSR1    terminate",
          "SIGUSR2    terminate", "SIGPIPE    terminate", "SIGALRM    terminate",
          "SIGTERM    terminate", "SIGCHLD    ignore", "SIGTSTP    stop", "SIGCONT    continue",
          "SIGSTOP    stop       no"}) {
        CAPTURE(row);
        CHECK(list.find(row) != std::string::npos);
    }
}

TEST_CASE("01: KILL and STOP are refused with the reason") {
    for (const char* name : {"KILL", "sigkill", "9", "STOP", "SIGSTOP", "19", "TERM,KILL"}) {
        checkRefused(stage("01_signals", {"--signals", name}), {"--signals", "cannot be caught"});
    }
}

TEST_CASE("01: what is no signal is refused") {
    for (const char* name : {"FOO", "0", "65", "-1", "1.5", "TERMX", "SIG", "RTMIN+99", " INT"}) {
        checkRefused(stage("01_signals", {std::string("--signals=") + name}),
                     {name, "not a signal"});
    }
    for (const char* list : {"", ",", "INT,", ",INT", "INT,,TERM"}) {
        checkRefused(stage("01_signals", {"--signals", list}), {"--signals", "INT,TERM"});
    }
    for (const char* reserved : {"32", "33"}) {
        checkRefused(stage("01_signals", {"--signals", reserved}), {reserved, "C library"});
    }
}

TEST_CASE("01: the options are those of all stages") {
    checkCommonOptions("01_signals", {"--signals LIST", "--list", "--help", "--version"});
    checkRefused(stage("01_signals", {"--list=yes"}), {"--list", "no value"});
    const Process help(stage("01_signals", {"--help"}));
    help.waitForExit(10s);
    CHECK(help.standardOutput().find("(default HUP,INT,QUIT,TERM)") != std::string::npos);
}

TEST_CASE("01: a signal outside of the list keeps its default action") {
    const Process process(stage("01_signals", {"--signals", "USR1"}));
    process.waitForEvent("ready");
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).signal == SIGTERM);
}

TEST_CASE("01: SIGPIPE does not kill") {
    const Process process(stage("01_signals"));
    process.waitForEvent("ready");
    process.signal(SIGPIPE);
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 0);
    CHECK(process.waitForEvent("signal").field("name") == "SIGTERM");
}

TEST_CASE("01: an inherited ignore of SIGINT does not make it deaf") {
    const Process process(afterShell("trap '' INT", stage("01_signals")));
    process.waitForEvent("ready");
    process.signal(SIGINT);
    CHECK(process.waitForExit(10s).code == 0);
}

TEST_CASE("01: a HUP that is ignored at the start stays ignored") {
    const Process process(afterShell("trap '' HUP", stage("01_signals")));
    process.waitForEvent("ready");
    process.signal(SIGHUP);
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 0);
    CHECK(process.waitForEvent("signal").field("name") == "SIGTERM");
}

TEST_CASE("01: closed standard streams are no reason to fail") {
    const Process process(stage("01_signals"),
                          {.closeStdin = true, .closeStdout = true, .closeStderr = true});
    REQUIRE(eventually([&] { return ignoresSigpipe(process.pid()); }, 10s));
    process.signal(SIGTERM);
    CHECK(process.waitForExit(10s).code == 0);
}
