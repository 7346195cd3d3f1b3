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
        if (kind != Kind::step && kind != Kind::process) {
            requests += (requests.empty() ? "" : ", ") + std::to_string(count) + " " + lookOf(kind).word;
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
    if (!moments.empty()) {
        text += (requests.empty() ? ": " : "; ") + moments;
    }
    return text + ".";
}

}  // namespace lifecycle::timeline
