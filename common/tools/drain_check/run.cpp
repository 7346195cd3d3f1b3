#include "run.h"

#include <exception>

namespace lifecycle::check {
namespace {

/// Empty if nothing is missing.
std::string missing(unsigned needs, const Settings& settings, const Traits& traits) {
    if ((needs & restart) != 0 && !settings.restartSignal) {
        return "needs --restart-signal";
    }
    if ((needs & readyPath) != 0 && settings.readyPath.empty()) {
        return "needs --ready-path";
    }
    if ((needs & streamPath) != 0 && settings.streamPath.empty()) {
        return "needs --stream-path";
    }
    if ((needs & work) != 0 && !settings.takesWork()) {
        return "needs {ms} in --path";
    }
    if ((needs & work) != 0 && !traits.works) {
        return "the answer to --path takes no longer with a larger {ms}";
    }
    if ((needs & keepAlive) != 0 && !traits.keepsAlive) {
        return "it closes the connection after each answer";
    }
    return "";
}

}  // namespace

Verdict run(const Scenario& scenario, Rehearsal& rehearsal) {
    if (const std::string reason = missing(scenario.needs, rehearsal.settings(), rehearsal.traits()); !reason.empty()) {
        return notApplicable(reason);
    }
    Verdict verdict;
    int missed = 0;
    for (int attempt = 0; attempt < scenario.attempts && verdict.result != Verdict::Result::pass; ++attempt) {
        try {
            verdict = scenario.run(rehearsal);
        } catch (const Missed& error) {
            if (verdict.result != Verdict::Result::fail) {
                verdict = notApplicable(error.what());
            }
            attempt -= ++missed <= 4 ? 1 : 0;
            rehearsal.slower();
        } catch (const std::exception& error) {
            verdict = fail("", error.what());
        }
    }
    return verdict;
}

}  // namespace lifecycle::check
