#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>

namespace lifecycle::check {

struct ThreadTime {
    std::chrono::nanoseconds ran{};
    std::chrono::nanoseconds waited{};  ///< for a processor that others used
};

/// By thread id.
using ThreadTimes = std::map<pid_t, ThreadTime>;

/// Of all threads of a process, from proc(5): schedstat. Empty if it is gone.
ThreadTimes threadTimesOf(pid_t pid);

/// How busy threads were between two looks, in percent of a processor: of the time in which one could have slept, it
/// ran so much. A thread that never sleeps is 100 % busy, however little of a processor a busy machine leaves it.
long busyPercent(const ThreadTimes& before, const ThreadTimes& after, std::chrono::nanoseconds between);

}  // namespace lifecycle::check
