#pragma once

#include <string>
#include <vector>

#include "rehearsal.h"
#include "verdict.h"

namespace lifecycle::check {

/// Why a scenario with many clients proves nothing.
inline constexpr const char* answersTooSlowly =
    "it answers too slowly for so many clients; see --clients and --start-limit";

/// What a scenario needs that not every server offers.
enum Need : unsigned {
    nothing = 0,
    work = 1,        ///< a path with {ms}
    keepAlive = 2,   ///< connections that carry more than one request
    readyPath = 4,
    streamPath = 8,
    restart = 16,
};

/// One way in which shutdowns go wrong.
struct Scenario {
    std::string name;
    std::string passes;  ///< one line: what the server must do
    std::string why;     ///< one line: who suffers otherwise
    unsigned needs = nothing;
    /// More than 1 where a short time is measured: a machine that stands still for a moment is no
    /// fault of the server. What is lost is lost: such a scenario has one attempt.
    int attempts = 1;
    Verdict (*run)(Rehearsal&) = nullptr;
};

// By theme; each in the file of that name.
std::vector<Scenario> exitScenarios();
std::vector<Scenario> listenerScenarios();
std::vector<Scenario> keepAliveScenarios();
std::vector<Scenario> slowClientScenarios();
std::vector<Scenario> signalScenarios();
std::vector<Scenario> rudeClientScenarios();
std::vector<Scenario> restartScenarios();

/// All of them, in the order of the table.
const std::vector<Scenario>& allScenarios();

}  // namespace lifecycle::check
