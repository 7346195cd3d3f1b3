#include "lifecycle/options.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <Poco/Util/Option.h>
#include <Poco/Util/OptionException.h>
#include <Poco/Util/OptionProcessor.h>
#include <Poco/Util/OptionSet.h>

#include "lifecycle/error_line.h"
#include "lifecycle/exit_code.h"

namespace lifecycle {
namespace {

unsigned parseNumber(const std::string& text, unsigned min, unsigned max) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < min || number > max) {
        throw std::invalid_argument("\"" + text + "\" is not a number from " + std::to_string(min) +
                                    " to " + std::to_string(max));
    }
    return number;
}

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
    std::string all;
    for (const std::string& word : words) {
        all += (all.empty() ? "" : separator) + word;
    }
    return all;
}

void print(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            return;
        }
    }
}

}  // namespace

Options::Options(std::string program, std::string purpose)
    : program_(std::move(program)), purpose_(std::move(purpose)) {
    flag("help", help_, "show this text");
    flag("version", version_, "show the version");
}

void Options::value(const std::string& name, const std::string& kind, const std::string& defaultText,
                    const std::string& help, std::function<void(const std::string&)> set) {
    entries_.push_back({name, kind, defaultText, help, std::move(set)});
}

void Options::text(const std::string& name, std::string& target, const std::string& help) {
    value(name, "TEXT", target, help, [&target](const std::string& text) { target = text; });
}

void Options::duration(const std::string& name, Duration& target, const std::string& help) {
    value(name, "DURATION", formatDuration(target), help,
          [&target](const std::string& text) { target = parseDuration(text); });
}

void Options::port(const std::string& name, std::uint16_t& target, const std::string& help) {
    value(name, "PORT", std::to_string(target), help, [&target](const std::string& text) {
        target = static_cast<std::uint16_t>(parseNumber(text, 0, 65535));
    });
}

void Options::number(const std::string& name, unsigned& target, unsigned min, unsigned max,
                     const std::string& help) {
    value(name, "NUMBER", std::to_string(target), help,
          [&target, min, max](const std::string& text) { target = parseNumber(text, min, max); });
}

void Options::choice(const std::string& name, std::string& target,
                     const std::vector<std::string>& allowed, const std::string& help) {
    value(name, joined(allowed, "|"), target, help, [&target, allowed](const std::string& text) {
        if (std::find(allowed.begin(), allowed.end(), text) == allowed.end()) {
            throw std::invalid_argument("\"" + text + "\" is not one of " + joined(allowed, ", "));
        }
        target = text;
    });
}

void Options::flag(const std::string& name, bool& target, const std::string& help) {
    value(name, "", "", help, [&target](const std::string&) { target = true; });
}

std::optional<int> Options::parse(int argc, const char* const* argv) {
    try {
        const std::set<std::string> given = apply(argc, argv);
        if (!help_ && !version_) {
            applyEnvironment(given);
        }
    } catch (const std::invalid_argument& error) {
        printError(program_, error.what());
        return exitUsage;
    }
    if (help_) {
        print(helpText());
        return exitClean;
    }
    if (version_) {
        print(program_ + " " LIFECYCLE_VERSION "\n");
        return exitClean;
    }
    return std::nullopt;
}

std::string Options::variableOf(const Entry& entry) const {
    std::string name = environment_ + "_" + entry.name;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
        return c == '-' ? '_' : static_cast<char>(std::toupper(c));
    });
    return name;
}

void Options::applyEnvironment(const std::set<std::string>& given) {
    for (const Entry& entry : entries_) {
        if (environment_.empty() || given.contains(entry.name) || entry.name == "help" || entry.name == "version") {
            continue;
        }
        const std::string name = variableOf(entry);
        const char* const variable = std::getenv(name.c_str());
        const std::string text = variable != nullptr ? variable : "";
        if (text.empty() || (entry.kind.empty() && text == "0")) {
            continue;
        }
        try {
            if (entry.kind.empty() && text != "1") {
                throw std::invalid_argument("\"" + text + "\" is not 1 or 0");
            }
            entry.set(text);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument(name + ": " + error.what());
        }
    }
}

std::set<std::string> Options::apply(int argc, const char* const* argv) {
    using Poco::Util::Option;
    // Poco takes a name that two longer ones begin with for ambiguous, unless it meets it first.
    std::vector<Entry> shortestFirst = entries_;
    std::stable_sort(shortestFirst.begin(), shortestFirst.end(), [](const Entry& a, const Entry& b) {
        return a.name.size() < b.name.size();
    });
    Poco::Util::OptionSet set;
    for (const Entry& entry : shortestFirst) {
        Option option(entry.name, "", entry.help);
        option.repeatable(true);  // the last one wins, so that scripts can override
        set.addOption(entry.kind.empty() ? option : option.argument(entry.kind));
    }
    Poco::Util::OptionProcessor processor(set);
    processor.setUnixStyle(true);

    std::set<std::string> given;
    const Entry* awaitsValue = nullptr;
    for (int i = 1; i < argc && !help_; ++i) {
        const std::string argument = argv[i];
        const Entry* entry = awaitsValue != nullptr ? awaitsValue : &named(argument);
        std::string name;
        std::string optionValue;
        try {
            processor.process(argument, name, optionValue);
        } catch (const Poco::Util::OptionException&) {
            throw std::invalid_argument("--" + entry->name + (entry->kind.empty()
                                                                  ? ": takes no value"
                                                                  : ": a value is missing (" + entry->kind + ")"));
        }
        // Poco says nothing yet about an option whose value is the next argument.
        awaitsValue = name.empty() ? entry : nullptr;
        if (name.empty()) {
            continue;
        }
        given.insert(entry->name);
        try {
            entry->set(optionValue);
        } catch (const std::invalid_argument& error) {
            throw std::invalid_argument("--" + entry->name + ": " + error.what());
        }
    }
    if (awaitsValue != nullptr && !help_) {
        throw std::invalid_argument("--" + awaitsValue->name + ": a value is missing (" + awaitsValue->kind + ")");
    }
    return given;
}

/// Poco would take the beginning of a name for the name, which breaks scripts when an option is
/// added later, and a colon for an equals sign.
const Options::Entry& Options::named(const std::string& argument) const {
    if (!argument.starts_with("-")) {
        throw std::invalid_argument("unexpected argument \"" + argument + "\"; options are " + names());
    }
    const std::string name = argument.substr(0, argument.find('='));
    const Entry* entry = name.starts_with("--") ? find(name.substr(2)) : nullptr;
    if (entry == nullptr) {
        throw std::invalid_argument("unknown option " + name + "; options are " + names());
    }
    return *entry;
}

const Options::Entry* Options::find(std::string_view name) const {
    const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& candidate) { return candidate.name == name; });
    return entry != entries_.end() ? &*entry : nullptr;
}

std::string Options::names() const {
    std::string all;
    for (const Entry& entry : entries_) {
        all += (all.empty() ? "--" : ", --") + entry.name;
    }
    return all;
}

std::string Options::helpText() const {
    std::size_t width = 0;
    const auto left = [](const Entry& entry) {
        return "  --" + entry.name + (entry.kind.empty() ? "" : " " + entry.kind);
    };
    for (const Entry& entry : entries_) {
        width = std::max(width, left(entry).size());
    }
    std::string text = program_ + ": " + purpose_ + "\n\nOptions (--name value or --name=value):\n";
    for (const Entry& entry : entries_) {
        text += left(entry) + std::string(width + 2 - left(entry).size(), ' ') + entry.help;
        if (!entry.kind.empty()) {
            text += " (default " + (entry.defaultText.empty() ? "none" : entry.defaultText) + ")";
        }
        text += "\n";
    }
    text += "\nA DURATION is written as in Go: 300ms, 1.5s, 2m30s, 1h.\n";
    if (!environment_.empty()) {
        text += "Each option can also be set in the environment, --lame-duck as " + environment_ +
                "_LAME_DUCK and so on;\nthe command line wins.\n";
    }
    return text;
}

}  // namespace lifecycle
