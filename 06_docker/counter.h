#pragma once

#include <cstdint>
#include <string>

#include "lifecycle/context.h"

namespace stage {

/// What the service counts in. All functions may be called from every thread, many at once.
class Counter {
public:
    virtual ~Counter() = default;

    /// Adds 1 for the request `id`: exactly once, whatever happens on the way. Blocks until that is
    /// certain (true), or until `context` is done first (false): then it may or may not have been
    /// added, see sent().
    virtual bool increment(const std::string& id, const lifecycle::Context& context) = 0;

    /// The sum of all. Blocks for some seconds at most; throws std::runtime_error if it cannot be
    /// known now.
    virtual std::int64_t value() = 0;

    /// How many ids have been sent to be counted; each is included before it can be counted.
    virtual std::uint64_t sent() const = 0;

    /// Gives back what it holds. To be called when nobody increments any more.
    virtual void close() {}
};

}  // namespace stage
