#pragma once

#include <string>
#include <vector>

namespace lifecycle::test {

/// `environment`, and what makes a program load `library` first. AddressSanitizer, which wants to be first itself, is
/// told to put up with it.
inline std::vector<std::string> preload(const std::string& library, std::vector<std::string> environment = {}) {
    environment.push_back("LD_PRELOAD=" + library);
    environment.push_back("ASAN_OPTIONS=verify_asan_link_order=0");
    return environment;
}

}  // namespace lifecycle::test
