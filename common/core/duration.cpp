#include "lifecycle/duration.h"

#include <array>
#include <cstdint>
#include <limits>
#include <ratio>
#include <stdexcept>

namespace lifecycle {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t nanoseconds;
};

constexpr std::array<Unit, 8> units{{
    {"ns", 1},
    {"us", 1'000},
    {"\u00b5s", 1'000},  // the micro sign
    {"\u03bcs", 1'000},  // the Greek letter mu
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
}};

constexpr std::uint64_t longest = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void refuse(std::string_view text, std::string_view reason) {
    std::string shown(text.substr(0, 40));
    throw std::invalid_argument("\"" + shown + "\" is not a duration: " + std::string(reason) +
                                " (write 300ms, 1.5s, 2m30s or 1h)");
}

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

/// One number of a duration: what is before the point, and the digits behind it, which count
/// `fraction / scale`.
struct Number {
    std::uint64_t whole = 0;
    std::uint64_t fraction = 0;
    double scale = 1;
};

Number takeNumber(std::string_view text, std::string_view& rest) {
    Number number;
    bool anyDigit = false;
    const auto nextIsDigit = [&rest] { return !rest.empty() && isDigit(rest.front()); };
    for (; nextIsDigit(); rest.remove_prefix(1)) {
        anyDigit = true;
        const auto digit = static_cast<std::uint64_t>(rest.front() - '0');
        if (number.whole > (longest - digit) / 10) {
            refuse(text, "it is too long");
        }
        number.whole = number.whole * 10 + digit;
    }
    if (!rest.empty() && rest.front() == '.') {
        rest.remove_prefix(1);
        bool counts = true;  // until they become too small
        for (; nextIsDigit(); rest.remove_prefix(1)) {
            anyDigit = true;
            const auto digit = static_cast<std::uint64_t>(rest.front() - '0');
            counts = counts && number.fraction <= (longest - digit) / 10;
            if (counts) {
                number.fraction = number.fraction * 10 + digit;
                number.scale *= 10;
            }
        }
    }
    if (!anyDigit) {
        refuse(text, "a number is missing");
    }
    return number;
}

std::uint64_t takeUnit(std::string_view text, std::string_view& rest) {
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789."));
    for (const Unit& unit : units) {
        if (unit.name == name) {
            rest.remove_prefix(name.size());
            return unit.nanoseconds;
        }
    }
    refuse(text, name.empty() ? "it has no unit" : "its unit is not one of ns, us, ms, s, m, h");
}

}  // namespace

Duration parseDuration(std::string_view text) {
    std::string_view rest = text;
    if (!rest.empty() && rest.front() == '-') {
        refuse(text, "it is negative");
    }
    if (!rest.empty() && rest.front() == '+') {
        rest.remove_prefix(1);
    }
    if (rest.empty()) {
        refuse(text, "it is empty");
    }
    std::uint64_t total = 0;
    while (!rest.empty()) {
        const Number number = takeNumber(text, rest);
        const std::uint64_t unit = takeUnit(text, rest);
        if (number.whole > longest / unit) {
            refuse(text, "it is too long");
        }
        // Rounded as in Go: 0.3333333333333333333h is 20 minutes.
        const auto fraction = static_cast<std::uint64_t>(
            static_cast<double>(number.fraction) * (static_cast<double>(unit) / number.scale));
        const std::uint64_t part = number.whole * unit + fraction;
        if (part > longest - total) {
            refuse(text, "it is too long");
        }
        total += part;
    }
    return Duration(static_cast<std::int64_t>(total));
}

namespace {

/// "12.034" from 12034 thousandths, without trailing zeros.
std::string decimal(std::uint64_t value, std::uint64_t scale) {
    std::string text = std::to_string(value / scale);
    std::uint64_t fraction = value % scale;
    if (fraction == 0) {
        return text;
    }
    text += '.';
    while (fraction != 0) {
        scale /= 10;
        text += static_cast<char>('0' + fraction / scale);
        fraction %= scale;
    }
    return text;
}

}  // namespace

std::string formatDuration(Duration duration) {
    const bool negative = duration < Duration::zero();
    // Negated as unsigned, so that the smallest value has an absolute value too.
    const auto bits = static_cast<std::uint64_t>(duration.count());
    const std::uint64_t total = negative ? 0 - bits : bits;
    const std::string sign = negative ? "-" : "";
    if (total == 0) {
        return "0s";
    }
    if (total < 1'000) {
        return sign + std::to_string(total) + "ns";
    }
    if (total < 1'000'000) {
        return sign + decimal(total, 1'000) + "\u00b5s";
    }
    if (total < 1'000'000'000) {
        return sign + decimal(total, 1'000'000) + "ms";
    }
    constexpr std::uint64_t minute = 60'000'000'000;
    std::string text = decimal(total % minute, 1'000'000'000) + "s";
    const std::uint64_t minutes = total / minute;
    if (minutes > 0) {
        text.insert(0, std::to_string(minutes % 60) + "m");
    }
    if (minutes >= 60) {
        text.insert(0, std::to_string(minutes / 60) + "h");
    }
    return sign + text;
}

std::string formatRounded(Duration duration) {
    using namespace std::chrono;
    using TenthOfMillisecond = std::chrono::duration<std::int64_t, std::ratio<1, 10'000>>;
    if (duration > Duration::max() - seconds(1) || duration < Duration::min() + seconds(1)) {
        return formatDuration(duration);  // Rounding would overflow.
    }
    if (duration >= seconds(1)) {
        return formatDuration(round<milliseconds>(duration));
    }
    if (duration >= milliseconds(1)) {
        return formatDuration(round<TenthOfMillisecond>(duration));
    }
    return formatDuration(round<microseconds>(duration));
}

}  // namespace lifecycle
