#pragma once

#include <string>
#include <string_view>

namespace lifecycle::test {

/// The text as XML shows it, between tags or in an attribute in double quotes.
std::string toXml(std::string_view text);

}  // namespace lifecycle::test
