#include "catch.h"

#include "lifecycle/duration.h"

#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::Duration;
using lifecycle::formatDuration;
using lifecycle::formatRounded;
using lifecycle::parseDuration;

namespace {

/// The sentence with which a text is refused; empty if it is not.
std::string refusal(const std::string& text) {
    try {
        parseDuration(text);
        return "";
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

} // namespace

// The table is that of Go's own test, time/time_test.go.
TEST_CASE("library: durations are read as Go reads them") {
    const std::vector<std::pair<std::string, Duration>> table{
        {"0s", 0s},
        {"5s", 5s},
        {"1478s", 1478s},
        {"+5s", 5s},
        {"5.0s", 5s},
        {"5.6s", 5600ms},
        {"5.s", 5s},
        {".5s", 500ms},
        {"1.004s", 1004ms},
        {"1.0040s", 1004ms},
        {"100.00100s", 100001ms},
        {"10ns", 10ns},
        {"11us", 11us},
        {"12\u00b5s", 12us},
        {"12\u03bcs", 12us},
        {"13ms", 13ms},
        {"15m", 15min},
        {"16h", 16h},
        {"3h30m", 3h + 30min},
        {"10.5s4m", 4min + 10500ms},
        {"1h2m3s4ms5us6ns", 1h + 2min + 3s + 4ms + 5us + 6ns},
        {"39h9m14.425s", 39h + 9min + 14425ms},
        {"52763797000ns", 52763797000ns},
        {"0.3333333333333333333h", 20min},
        {"9007199254740993ns", Duration((std::int64_t{1} << 53) + 1)},
        {"9223372036854775807ns", Duration::max()},
        {"9223372036854775.807us", Duration::max()},
        {"9223372036s854ms775us807ns", Duration::max()},
        {"0.100000000000000000000h", 6min},
        {"0.830103483285477580700h", 49min + 48s + 372539827ns},
    };
    for (const auto& [text, expected] : table) {
        CAPTURE(text);
        CHECK(parseDuration(text) == expected);
    }
}

TEST_CASE("library: what is no duration is refused") {
    const std::vector<std::string> table{
        "",      "3",     "-",     "s",    ".",    ".s",  "+.s",  "+",     "++5s", "1d",
        "5min",  "5secs", "1 s",   " 1s",  "1s ",  "1,5s", "1e3s", "0x5s", "NaN",  "1.2.3s",
        "1s2",   "infs",  "1ss",   "1s-2s", "\x85\x85", "\xff" "ff", "hello \xff world"};
    for (const std::string& text : table) {
        CAPTURE(text);
        CHECK_FALSE(refusal(text).empty());
    }
}

TEST_CASE("library: a bare zero and a negative duration are refused unlike in Go") {
    CHECK(refusal("0") == "\"0\" is not a duration: it has no unit (write 300ms, 1.5s, 2m30s or 1h)");
    CHECK(refusal("-5s") ==
          "\"-5s\" is not a duration: it is negative (write 300ms, 1.5s, 2m30s or 1h)");
}

TEST_CASE("library: a refused duration is told what is wrong with it") {
    CHECK(refusal("").find("it is empty") != std::string::npos);
    CHECK(refusal("10").find("it has no unit") != std::string::npos);
    CHECK(refusal("1.5").find("it has no unit") != std::string::npos);
    CHECK(refusal("1s20").find("it has no unit") != std::string::npos);
    CHECK(refusal("ms").find("a number is missing") != std::string::npos);
    for (const std::string text : {"5min", "5secs", "5 s", "2days", "1h30"}) {
        CAPTURE(text);
        CHECK(refusal(text).find("unit") != std::string::npos);
    }
}

TEST_CASE("library: a duration that does not fit is refused and not wrapped") {
    for (const std::string text :
         {"9223372036854775808ns", "9223372036854775810ns", "9223372036854775.808us",
          "9223372036854ms775us808ns", "18446744073709551617ns", "99999999999999999999999s",
          "2562048h", "153722868m", "2562047h47m16.854775808s"}) {
        CAPTURE(text);
        CHECK(refusal(text).find("it is too long") != std::string::npos);
    }
}

TEST_CASE("library: durations are written as Go writes them") {
    const std::vector<std::pair<Duration, std::string>> table{
        {0ns, "0s"},
        {1ns, "1ns"},
        {1100ns, "1.1\u00b5s"},
        {2200us, "2.2ms"},
        {3300ms, "3.3s"},
        {4min + 5s, "4m5s"},
        {4min + 5001ms, "4m5.001s"},
        {5h + 6min + 7001ms, "5h6m7.001s"},
        {1h, "1h0m0s"},
        {8min + 1ns, "8m0.000000001s"},
        {-1500ms, "-1.5s"},
        {Duration::max(), "2562047h47m16.854775807s"},
        {Duration::min(), "-2562047h47m16.854775808s"},
    };
    for (const auto& [duration, expected] : table) {
        CHECK(formatDuration(duration) == expected);
    }
}

TEST_CASE("library: every duration that was written is read back") {
    std::mt19937_64 random(1); // the same values in every run
    for (int i = 0; i < 100'000; ++i) {
        const Duration duration(static_cast<std::int64_t>(random() >> (1 + random() % 63)));
        const std::string text = formatDuration(duration);
        if (parseDuration(text) != duration) {
            FAIL(duration.count() << " was written " << text);
        }
    }
}

TEST_CASE("library: any text is read or refused") {
    const std::string alphabet = "0123456789.numsh+- \xc2\xb5";
    std::mt19937_64 random(2);
    std::size_t read = 0;
    for (int i = 0; i < 100'000; ++i) {
        std::string text(random() % 12, ' ');
        for (char& c : text) {
            c = alphabet[random() % alphabet.size()];
        }
        if (refusal(text).empty()) {
            ++read;
            if (parseDuration(text) < 0s) {
                FAIL("negative: " << text);
            }
        }
    }
    CHECK(read > 100);
}

TEST_CASE("library: a rounded duration has as many digits as a person reads") {
    const std::vector<std::pair<Duration, std::string>> table{
        {0ns, "0s"},
        {400ns, "0s"},
        {999ns, "1\u00b5s"},
        {12'345ns, "12\u00b5s"},
        {1'234'567ns, "1.2ms"},
        {999'960us, "1s"},
        {1'234'567us, "1.235s"},
        {59'999'600us, "1m0s"},
        {2h + 1ms, "2h0m0.001s"},
    };
    for (const auto& [duration, expected] : table) {
        CHECK(formatRounded(duration) == expected);
    }
    // The remaining time of a context without a deadline.
    CHECK(formatRounded(Duration::max()).substr(0, 11) == "2562047h47m");
    CHECK(formatRounded(Duration::min()).substr(0, 12) == "-2562047h47m");
}

TEST_CASE("library: sums and products of absurd durations are the longest one and never negative") {
    using lifecycle::addSaturated;
    using lifecycle::multiplySaturated;
    using lifecycle::TimePoint;
    CHECK(addSaturated(Duration::max(), 1ns) == Duration::max());
    CHECK(addSaturated(Duration::max() - 2ns, 1ns) == Duration::max() - 1ns);
    CHECK(addSaturated(TimePoint::max() - 1h, 2h) == TimePoint::max());
    CHECK(multiplySaturated(10, Duration::max() / 10) == Duration::max() / 10 * 10);
    CHECK(multiplySaturated(10, Duration::max() / 10 + 1ns) == Duration::max());
    CHECK(multiplySaturated(10, 5s) == 50s);
    CHECK(multiplySaturated(0, Duration::max()) == 0s);
}
