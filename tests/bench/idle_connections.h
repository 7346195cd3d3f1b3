#pragma once

#include <vector>

#include "http_client.h"

namespace lifecycle::bench {

/// Keep-alive connections that have nothing to do: each has sent one request and is kept open.
class IdleConnections {
public:
    /// Opens them one after the other. Not every server answers them all: one that keeps a thread
    /// for each connection has no thread left for the others.
    IdleConnections(int port, int count);

    int answered() const { return answered_; }

private:
    std::vector<test::Connection> connections_;
    int answered_ = 0;
};

/// Lets this process have as many descriptors as it may. A thousand clients need a thousand.
void raiseDescriptorLimit();

}  // namespace lifecycle::bench
