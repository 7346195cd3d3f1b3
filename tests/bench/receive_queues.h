#pragma once

#include <cstddef>

#include "deadline.h"

namespace lifecycle::bench {

/// Blocks until a server has read what its clients have sent: so many connections to this port of 127.0.0.1 are
/// accepted, and none has bytes on the way or in its receive queue. From then on those requests are in flight, in
/// any server. Throws std::runtime_error if that is not so in time. Source: proc(5), /proc/net/tcp
void waitUntilRead(int port, std::size_t connections, test::Deadline deadline);

}  // namespace lifecycle::bench
