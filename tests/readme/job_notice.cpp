#include "job_notice.h"

#include <regex>

namespace lifecycle::readme {

bool isJobNotice(const std::string& line) {
    static const std::regex notice(R"(^\[[0-9]+\]( [0-9]+$|[-+ ] +[A-Z]).*)");
    return std::regex_match(line, notice);
}

} // namespace lifecycle::readme
