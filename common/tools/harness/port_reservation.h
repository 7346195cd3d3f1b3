#pragma once

#include "lifecycle/file_descriptor.h"

namespace lifecycle::test {

/// A TCP port of 127.0.0.1 that nobody listens on, and that no other reservation has, in whatever
/// process, as long as this object lives. It lies below the range from which the kernel takes
/// ports for clients and for `--port 0`.
///
/// The mark is a UDP socket bound to the same number: a server can still bind the TCP port.
class PortReservation {
public:
    /// Throws std::runtime_error when there is no such port.
    PortReservation();

    int port() const { return port_; }

private:
    FileDescriptor mark_;
    int port_ = 0;
};

} // namespace lifecycle::test
