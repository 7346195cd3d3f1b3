#pragma once

#include <chrono>
#include <string>

namespace lifecycle::peers {

/// The time in `?work=300ms` or `?work=2s` of a request target; none if it has none.
inline std::chrono::milliseconds workOf(const std::string& target) {
    const std::size_t at = target.find("work=");
    if (at == std::string::npos) {
        return {};
    }
    std::size_t end = 0;
    const std::string text = target.substr(at + 5);
    const int count = std::stoi(text, &end);
    return text.substr(end) == "ms" ? std::chrono::milliseconds(count) : std::chrono::seconds(count);
}

}  // namespace lifecycle::peers
