#include "catch.h"
#include "event_parser.h"
#include "log_pipe.h"

#include "lifecycle/event_log.h"

#include <limits.h>

#include <string>
#include <string_view>

using namespace lifecycle::test;
using lifecycle::Duration;
using lifecycle::EventLog;

namespace {

/// What one field looks like in the log, without the time, the word and the key.
std::string shown(std::string_view value) {
    LogPipe pipe;
    EventLog events(pipe.writer());
    events.emit("word", {{"key", value}});
    const std::string line = pipe.read();
    const auto begin = line.find(" key=") + 5;
    REQUIRE(line.back() == '\n');
    return line.substr(begin, line.size() - 1 - begin);
}

} // namespace

TEST_CASE("library: an event is one line of the time and a word and its fields") {
    LogPipe pipe;
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

TEST_CASE("library: what a terminal would obey or a reader take for the end of a line is escaped") {
    CHECK(shown("\u009b31mred") == R"("\xc2\x9b31mred")");
    CHECK(shown("a\u0085b") == R"("a\xc2\x85b")");
    CHECK(shown("a\u2028b\u2029") == R"("a\xe2\x80\xa8b\xe2\x80\xa9")");
    CHECK(shown("a\u202eb\u2066") == R"("a\xe2\x80\xaeb\xe2\x81\xa6")");
    CHECK(shown("\uffff") == R"("\xef\xbf\xbf")");
    CHECK(shown("\u20ac\U0001f600") == "\u20ac\U0001f600");
}

TEST_CASE("library: bytes that are not UTF-8 are escaped") {
    CHECK(shown("\x9b" "31m") == R"("\x9b31m")");
    CHECK(shown("caf\xe9") == R"("caf\xe9")");
    CHECK(shown("\xc0\xaf") == R"("\xc0\xaf")");                 // longer than needed
    CHECK(shown("\xe0\x80\xaf") == R"("\xe0\x80\xaf")");
    CHECK(shown("\xed\xa0\x80") == R"("\xed\xa0\x80")");         // half of a surrogate pair
    CHECK(shown("\xf4\x90\x80\x80") == R"("\xf4\x90\x80\x80")"); // beyond the last character
    CHECK(shown("\xe2\x82") == R"("\xe2\x82")");                 // the end is missing
    CHECK(shown("\xe2\x82 \u20ac") == "\"\\xe2\\x82 \u20ac\"");
}

TEST_CASE("library: a client cannot forge a line") {
    const std::string path = "/x\n+0.001s exit code=0\r\n";
    LogPipe pipe;
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
    LogPipe pipe;
    EventLog events(pipe.writer());
    events.emit("word", {{"a", hostile}, {"b", hostile}, {"c", hostile}, {"d", hostile}});
    const std::string line = pipe.read();
    CHECK(line.size() <= PIPE_BUF);
    REQUIRE(lines(line).size() == 1);
    CHECK(parseEvent(lines(line)[0]));
}
