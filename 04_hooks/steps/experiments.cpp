#include "steps/experiments.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "steps/shutdown_steps.h"

namespace stage {

void Experiments::add(const std::string& text) {
    const std::size_t colon = text.find(':');
    const std::string name = text.substr(0, colon);
    if (std::find(stepNames.begin(), stepNames.end(), name) == stepNames.end()) {
        std::string names;
        for (const std::string_view known : stepNames) {
            names += (names.empty() ? "" : ", ") + std::string(known);
        }
        throw std::invalid_argument("there is no hook \"" + name + "\", only " + names);
    }
    const std::string kind = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (kind != "fail" && kind != "hang") {
        try {
            lifecycle::parseDuration(kind);
        } catch (const std::invalid_argument&) {
            throw std::invalid_argument("write " + name + ":2s, " + name + ":fail or " + name + ":hang");
        }
    }
    kinds_[name] = kind;
}

Experiments::Run Experiments::applied(const std::string& name, Run run) const {
    const auto found = kinds_.find(name);
    if (found == kinds_.end()) {
        return run;
    }
    const std::string& kind = found->second;
    if (kind == "fail") {
        return [](const lifecycle::Context&) { throw std::runtime_error("an experiment: --hook fail"); };
    }
    if (kind == "hang") {
        return [](const lifecycle::Context&) { lifecycle::Context::background().wait(); };
    }
    return [run = std::move(run), delay = lifecycle::parseDuration(kind)](const lifecycle::Context& context) {
        context.waitFor(delay);
        run(context);
    };
}

}  // namespace stage
