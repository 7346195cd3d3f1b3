#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/duration.h"

namespace lifecycle {

/// The command line of a program, written into variables that hold the defaults:
///
///     Duration timeout = 10s;
///     std::uint16_t port = 8080;
///     Options options("03_http_shutdown", "serves HTTP and shuts down gracefully");
///     options.duration("timeout", timeout, "time for requests in flight");
///     options.port("port", port, "port to listen on, 0 for a free one");
///     if (const auto exitCode = options.parse(argc, argv)) { return *exitCode; }
///
/// `--name value` and `--name=value`; names must be written in full. `--help` shows each option with
/// its default and unit, `--version` the version. Poco::Util does the splitting.
///
/// The variables must outlive the call of parse. Not thread-safe.
class Options {
public:
    Options(std::string program, std::string purpose);

    void text(const std::string& name, std::string& value, const std::string& help);
    void duration(const std::string& name, Duration& value, const std::string& help);
    void port(const std::string& name, std::uint16_t& value, const std::string& help);
    void number(const std::string& name, unsigned& value, unsigned min, unsigned max,
                const std::string& help);
    void choice(const std::string& name, std::string& value, const std::vector<std::string>& allowed,
                const std::string& help);
    /// True if given; takes no value.
    void flag(const std::string& name, bool& value, const std::string& help);

    /// For values of other kinds: `set` throws std::invalid_argument to reject one.
    void value(const std::string& name, const std::string& kind, const std::string& defaultText,
               const std::string& help, std::function<void(const std::string&)> set);

    /// Reads every option from the environment as well: with the prefix "LAB", `--lame-duck` is
    /// LAB_LAME_DUCK, and a flag is 1 or 0 there. An option on the command line wins: its variable is
    /// not even read. An empty variable counts as not set. To be called before parse.
    void environment(const std::string& prefix) { environment_ = prefix; }

    /// Empty if the program should continue; otherwise it should exit with that code: 0 after --help or
    /// --version, exitUsage after one line on standard error (see printError) that names the bad option and
    /// what is allowed.
    std::optional<int> parse(int argc, const char* const* argv);

private:
    struct Entry {
        std::string name;
        std::string kind;  // shown after the name in the help; empty for a flag
        std::string defaultText;
        std::string help;
        std::function<void(const std::string&)> set;
    };

    const Entry* find(std::string_view name) const;
    const Entry& named(const std::string& argument) const;
    std::string variableOf(const Entry& entry) const;
    void applyEnvironment(const std::set<std::string>& given);
    std::set<std::string> apply(int argc, const char* const* argv);  // the names of those given
    std::string names() const;
    std::string helpText() const;

    std::string program_;
    std::string purpose_;
    std::string environment_;  // the prefix; empty: not read
    std::vector<Entry> entries_;
    bool help_ = false;
    bool version_ = false;
};

}  // namespace lifecycle
