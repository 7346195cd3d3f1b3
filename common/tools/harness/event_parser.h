#pragma once

#include "deadline.h"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace lifecycle::test {

/// One event line of a program's stderr: `+0.305s drain.begin in_flight=1 note="one left"`.
struct Event {
    /// What the program says: time since it started.
    std::chrono::duration<double> sinceStart{};
    std::string word;
    std::map<std::string, std::string> fields;
    std::string line;
    /// When the line reached the test.
    Clock::time_point arrivedAt{};

    bool has(const std::string& key) const { return fields.count(key) != 0; }
    /// Throws std::out_of_range, with the whole line in its message, when there is no such field.
    const std::string& field(const std::string& key) const;
    /// Throws like `field`, and std::invalid_argument when the field is no whole number.
    long long number(const std::string& key) const;
};

/// Reads one line: `+<seconds>s <word>` and then logfmt fields. A value is bare (up to the next
/// space) or in double quotes, where \" \\ \n \r \t stand for one character. A key without `=`
/// has an empty value. Returns nothing for a line that is no event, such as a library's message.
std::optional<Event> parseEvent(std::string_view line);

} // namespace lifecycle::test
