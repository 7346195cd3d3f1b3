#pragma once

#include "port_reservation.h"

#include <filesystem>
#include <map>
#include <string>

namespace lifecycle::readme {

/// READMEs speak of `build/bin/03_http_shutdown` and of port 8080. A test may run from another
/// build directory, and beside others that want the same port. This translates a command on its
/// way in, and the output on its way out, so that the learner's text is compared:
///
/// - `build/bin/` at the beginning of a word is the directory of the built programs;
/// - the ports 8080 to 8089 are ports that are free, one and the same for all of a block.
class Substitutions {
public:
    /// `root`: of the repository. `programs`: where the executables really are.
    Substitutions(const std::filesystem::path& root, const std::filesystem::path& programs);

    /// Reserves a port for every one that `command` names for the first time.
    std::string toReal(const std::string& command);
    std::string toShown(const std::string& line) const;

private:
    int portFor(int shown);

    std::string programs_; ///< empty where it is `build/bin/` anyway
    std::map<int, test::PortReservation> ports_;
};

} // namespace lifecycle::readme
