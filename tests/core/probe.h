#pragma once

#include <string>
#include <vector>

namespace lifecycle::test {

/// The command line of the probe (probe.cpp): a program that does one thing with the library, for
/// claims about a whole process.
inline std::vector<std::string> probe(const std::string& what,
                                      const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> command{LIBRARY_PROBE, what};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
}

} // namespace lifecycle::test
