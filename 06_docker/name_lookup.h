#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <Poco/Net/SocketAddress.h>

#include "lifecycle/context.h"

namespace stage {

/// Finds the addresses of a host. The system's resolver takes as long as its name servers do, half a
/// minute if none of them responds, and cannot be interrupted. So it runs on a thread of its own, which
/// nobody has to wait for; concurrent callers share one lookup.
///
/// All functions may be called from every thread.
class NameLookup {
public:
    using Addresses = std::vector<Poco::Net::SocketAddress>;

    /// `host` is a name or a numeric address. Looks up nothing yet.
    NameLookup(std::string host, std::uint16_t port);

    /// The addresses as they are now, at least one. Blocks until they are found or `context` is
    /// done; throws std::runtime_error if they are not found, with the cause of `context` once it
    /// is done, and std::system_error if no thread can be started.
    Addresses find(const lifecycle::Context& context) const;

private:
    struct State;
    const std::shared_ptr<State> state_;  // shared with a lookup that nobody waits for any more
};

}  // namespace stage
