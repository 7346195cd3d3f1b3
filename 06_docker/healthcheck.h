#pragma once

#include <cstdint>
#include <string>

namespace stage {

/// Asks the server at this address and port for /readyz, as the HEALTHCHECK of a container does,
/// and prints the answer in one line: where the image has the program, it needs no curl. An address
/// that stands for all, such as 0.0.0.0, is asked on the loopback. Returns the exit code: 0 if it
/// is ready, 1 if not. Blocks for two seconds at most, or for as long as
/// single bytes keep coming.
int checkHealth(const std::string& address, std::uint16_t port);

}  // namespace stage
