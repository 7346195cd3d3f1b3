#include "settings.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "lifecycle/error_line.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"
#include "lifecycle/signals.h"
#include "scenario.h"

namespace lifecycle::check {
namespace {

std::set<std::string> parseNames(const std::string& list) {
    std::set<std::string> names;
    std::istringstream stream(list);
    for (std::string name; std::getline(stream, name, ',');) {
        const auto& all = allScenarios();
        if (std::none_of(all.begin(), all.end(), [&](const Scenario& one) { return one.name == name; })) {
            throw std::invalid_argument("there is no scenario \"" + name + "\"; --list shows them");
        }
        names.insert(name);
    }
    if (names.empty()) {
        throw std::invalid_argument("no scenario is named");
    }
    return names;
}

std::string parsePath(const std::string& path) {
    if (!path.starts_with('/') || path.find_first_of(" \t\r\n") != std::string::npos) {
        throw std::invalid_argument("\"" + path + "\" is not a path: it begins with / and has no blanks");
    }
    return path;
}

int parseTerminating(const std::string& text) {
    const int number = parseSignal(text);
    if (number == SIGKILL || number == SIGSTOP || number == SIGCONT) {
        throw std::invalid_argument(signalName(number) + " cannot be caught: there is no shutdown to rehearse");
    }
    return number;
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
    return text;
}

int complain(const std::string& message) {
    lifecycle::printError("drain_check", message);
    return exitUsage;
}

}  // namespace

Settings::Settings() : signal(SIGTERM) {}

std::optional<int> Settings::parse(int argc, const char* const* argv) {
    const auto* const end = std::find(argv + 1, argv + argc, std::string_view("--"));
    if (end != argv + argc) {
        command.assign(end + 1, argv + argc);
    }

    Options options("drain_check", "rehearses the shutdown of the server that COMMAND starts\n"
                                   "Usage: drain_check [OPTION…] -- COMMAND… {port} …");
    const auto pathOption = [&](const std::string& name, std::string& target, const std::string& help) {
        options.value(name, "PATH", target, help, [&target](const std::string& path) { target = parsePath(path); });
    };
    pathOption("path", path,
               "what clients ask for; {ms} is where the server takes its working time: /hello?work={ms}ms");
    pathOption("upload-path", uploadPath, "takes a POST and reads its body; default --path");
    pathOption("stream-path", streamPath, "answers in pieces during {ms}");
    pathOption("ready-path", readyPath, "tells load balancers whether to send clients");
    options.value("signal", "NAME", "TERM", "what asks the server to end",
                  [this](const std::string& name) { signal = parseTerminating(name); });
    options.value("restart-signal", "NAME", "", "what asks it for a hot restart",
                  [this](const std::string& name) { restartSignal = parseTerminating(name); });
    options.value("only", "NAME,…", "all", "which scenarios",
                  [this](const std::string& list) { only = parseNames(list); });
    options.number("clients", clients, 1, 500, "clients of the scenarios that have many");
    options.number("rounds", rounds, 1, 1000, "stops in the scenarios that race with the signal");
    options.duration("timeout", timeout, "the server's own deadline: whatever clients do, it is gone then");
    options.duration("lame-duck", lameDuck, "how long the server serves on after the signal; added to the limits");
    options.duration("exit-limit", exitLimit, "limit: to exit when there is nothing, or nothing more, to wait for");
    options.duration("idle-limit", idleLimit, "limit: to exit when clients are connected and idle");
    options.duration("refusal-limit", refusalLimit, "limit: until new connections are refused or told 503");
    options.duration("force-limit", forceLimit, "limit: to exit after a second signal");
    options.duration("start-limit", startLimit, "limit: until it listens");
    options.duration("restart-limit", restartLimit, "limit: until the old generation is gone");
    options.number("cpu-limit", cpuLimit, 1, 10'000, "limit: percent of a processor that it wants while out of descriptors");
    options.number("descriptors", descriptors, 16, 100'000, "so many descriptors where they shall not suffice");
    options.flag("list", list, "show each scenario, what passes, and why it matters");
    options.text("json", json, "file to write the results to as well");
    options.text("timeline", timeline, "SVG file to draw the runs to");
    options.text("timeline-title", timelineTitle, "its title; default: the scenario and what came out");
    options.duration("timeline-until", timelineUntil, "draw at least so far: gives several pictures one scale");
    if (const auto exitCode = options.parse(static_cast<int>(end - argv), argv)) {
        return exitCode;
    }
    if (list) {
        return std::nullopt;
    }
    if (std::max({timeout, lameDuck, exitLimit, idleLimit, refusalLimit, forceLimit, startLimit, restartLimit}) >
        std::chrono::hours(24)) {
        return complain("the timeout, the lame duck and the limits must not be longer than 24h each");
    }
    if (command.empty()) {
        return complain("no command; write drain_check [OPTION…] -- COMMAND… {port} …");
    }
    const auto namesPort = [](const std::string& text) { return text.find("{port}") != std::string::npos; };
    if (std::none_of(command.begin(), command.end(), namesPort)) {
        return complain("the command does not say {port}: where does the server take its port?");
    }
    if (!streamPath.empty() && streamPath.find("{ms}") == std::string::npos) {
        return complain("--stream-path: does not say {ms}: how long shall it stream?");
    }
    if (uploadPath.empty()) {
        uploadPath = path;
    }
    return std::nullopt;
}

std::string withWork(const std::string& path, Duration work) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(work).count();
    return replaced(path, "{ms}", std::to_string(milliseconds));
}

}  // namespace lifecycle::check
