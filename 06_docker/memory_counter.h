#pragma once

#include <atomic>
#include <cstdint>

#include "counter.h"

namespace stage {

/// A counter without Redis, to try things out: it is gone with the process.
class MemoryCounter : public Counter {
public:
    bool increment(const std::string&, const lifecycle::Context&) override {
        ++sent_;
        ++total_;
        return true;
    }
    std::int64_t value() override { return total_; }
    std::uint64_t sent() const override { return sent_; }

private:
    std::atomic<std::uint64_t> sent_ = 0;
    std::atomic<std::int64_t> total_ = 0;
};

}  // namespace stage
