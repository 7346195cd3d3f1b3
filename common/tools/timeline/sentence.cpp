#include "sentence.h"

#include <iomanip>
#include <sstream>

#include "kinds.h"

namespace lifecycle::timeline {

std::string readable(Seconds seconds) {
    std::ostringstream text;
    text << std::fixed << std::setprecision(2) << seconds << " s";
    return text.str();
}

std::string sentence(const Timeline& timeline) {
    std::string requests;
    for (const auto& [kind, count] : countKinds(timeline)) {
        if (isRequest(kind)) {
            requests += (requests.empty() ? "" : ", ") + std::to_string(count) + " " + lookOf(kind).word;
        }
    }
    std::string work;
    for (const Row& row : timeline.rows) {
        for (const Bar& bar : row.bars) {
            if (bar.kind == Kind::work || bar.kind == Kind::lostWork) {
                work += (work.empty() ? "" : ", ") + row.label + ": " + bar.text;
            }
        }
    }
    std::string moments;
    for (const Mark& mark : timeline.marks) {
        moments += (moments.empty() ? "" : ", ") + mark.text + " at " + readable(mark.at);
    }
    std::string text = timeline.title;
    if (!requests.empty()) {
        text += (text.empty() ? "" : ": ") + ("requests: " + requests);
    }
    if (!work.empty()) {
        text += (requests.empty() ? ": " : "; ") + work;
    }
    if (!moments.empty()) {
        text += (requests.empty() && work.empty() ? ": " : "; ") + moments;
    }
    return text + ".";
}

}  // namespace lifecycle::timeline
