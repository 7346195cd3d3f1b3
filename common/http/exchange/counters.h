#pragma once

#include <atomic>
#include <cstdint>

namespace lifecycle::http {

/// The numbers of a server, see ShutdownResult.
struct Counters {
    std::atomic<std::uint64_t> requests = 0;  ///< number of the newest request
    std::atomic<std::uint64_t> served = 0;
    std::atomic<std::uint64_t> shed = 0;  ///< `refused` to users
    std::atomic<std::uint64_t> cut = 0;
    std::atomic<std::uint64_t> answeredWithClose = 0;  ///< since the announcement
    std::atomic<std::uint64_t> idleClosed = 0;         ///< by the grace period
};

}  // namespace lifecycle::http
