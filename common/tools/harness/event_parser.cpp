#include "event_parser.h"

#include <charconv>
#include <stdexcept>
#include <utility>

namespace lifecycle::test {

namespace {

/// A cursor over one line; every function takes what it names off the front.
class LineReader {
public:
    explicit LineReader(std::string_view text) : rest_(text) {}

    bool atEnd() const { return rest_.empty(); }

    bool take(char expected) {
        if (rest_.empty() || rest_.front() != expected) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    void takeSpaces() {
        while (take(' ')) {
        }
    }

    std::string_view takeUntil(std::string_view stops) {
        const auto taken = rest_.substr(0, rest_.find_first_of(stops));
        rest_.remove_prefix(taken.size());
        return taken;
    }

    /// The rest of a quoted value, behind its opening quote. Nothing if the closing one is missing.
    std::optional<std::string> takeQuoted() {
        std::string value;
        while (!rest_.empty()) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '"') {
                return value;
            }
            value += c == '\\' ? takeEscape() : c;
        }
        return std::nullopt;
    }

private:
    char takeEscape() {
        if (rest_.empty()) {
            return '\\';
        }
        const char c = rest_.front();
        rest_.remove_prefix(1);
        switch (c) {
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        default: return c;
        }
    }

    std::string_view rest_;
};

std::optional<double> parseSeconds(std::string_view text) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    constexpr double longest = 1e9; // 30 years; this refuses "inf" and "nan", too
    return whole && seconds >= 0 && seconds <= longest ? std::optional(seconds) : std::nullopt;
}

} // namespace

const std::string& Event::field(const std::string& key) const {
    const auto found = fields.find(key);
    if (found == fields.end()) {
        throw std::out_of_range("no field " + key + "= in: " + line);
    }
    return found->second;
}

long long Event::number(const std::string& key) const {
    const std::string& text = field(key);
    long long value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw std::invalid_argument(key + "= is no whole number in: " + line);
    }
    return value;
}

std::optional<Event> parseEvent(std::string_view line) {
    LineReader reader(line);
    Event event;
    event.line = line;

    if (!reader.take('+')) {
        return std::nullopt;
    }
    const auto seconds = parseSeconds(reader.takeUntil("s "));
    if (!seconds || !reader.take('s') || !reader.take(' ')) {
        return std::nullopt;
    }
    event.sinceStart = std::chrono::duration<double>(*seconds);

    event.word = reader.takeUntil(" ");
    if (event.word.empty() || event.word.find('=') != std::string::npos) {
        return std::nullopt;
    }

    for (reader.takeSpaces(); !reader.atEnd(); reader.takeSpaces()) {
        const std::string key(reader.takeUntil("= "));
        std::string value;
        if (reader.take('=')) {
            if (reader.take('"')) {
                auto quoted = reader.takeQuoted();
                if (!quoted) {
                    return std::nullopt;
                }
                value = std::move(*quoted);
            } else {
                value = reader.takeUntil(" ");
            }
        }
        if (key.empty()) {
            return std::nullopt;
        }
        event.fields[key] = std::move(value);
    }
    return event;
}

} // namespace lifecycle::test
