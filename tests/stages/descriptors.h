#pragma once

#include <sys/resource.h>

namespace lifecycle::test {

/// Lets the test itself, a client with many connections, have as many as the system allows.
inline void raiseDescriptorLimit() {
    rlimit allowed{};
    ::getrlimit(RLIMIT_NOFILE, &allowed);
    allowed.rlim_cur = allowed.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &allowed);
}

} // namespace lifecycle::test
