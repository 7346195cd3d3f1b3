#pragma once

#include <string>
#include <vector>

#include "contestant.h"
#include "figure.h"

namespace lifecycle::bench {

/// Servers that others have written, to be measured beside ours.
struct Rivals {
    std::vector<Contestant> all;
    std::vector<std::string> notes;  ///< what is not here, and which package has it; how a rival is run
};

/// Go's net/http and, if the effort is made for peers, Boost.Beast and cpp-httplib, and nginx and HAProxy, which answer
/// by themselves, at once, whatever time they are asked to take.
Rivals rivals(const Effort& effort);

/// The same, but nginx and HAProxy are proxies before a server on this port, which takes its time. Without Boost.Beast,
/// which has no means to finish what is in flight.
Rivals rivalsBefore(int backend, const Effort& effort);

}  // namespace lifecycle::bench
