#pragma once

#include <cstddef>

#include "deadline.h"

namespace lifecycle::test {

/// Blocks until a server has read what its clients have sent: so many connections to this port of this machine are
/// accepted, and none has bytes on the way or in its receive queue. From then on those requests are in flight, in
/// any server. False if that is not so in time. Source: proc(5), /proc/net/tcp
bool allRead(int port, std::size_t connections, Deadline deadline);

/// The same; throws std::runtime_error if that is not so in time.
void waitUntilRead(int port, std::size_t connections, Deadline deadline);

}  // namespace lifecycle::test
