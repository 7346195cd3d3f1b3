#pragma once

#include <csignal>

#include <atomic>
#include <functional>
#include <thread>

namespace stage {

/// Runs a function whenever SIGUSR1 arrives, on a thread of its own: nothing else waits for it, and it
/// may take its time. The signal must have been blocked, first thing in main: see blockSignals. One
/// that arrived before this object was made is not lost.
class StatusSignal {
public:
    static constexpr int number = SIGUSR1;

    /// `tell` must not throw.
    explicit StatusSignal(std::function<void()> tell);
    ~StatusSignal();

    StatusSignal(const StatusSignal&) = delete;
    StatusSignal& operator=(const StatusSignal&) = delete;

private:
    const std::function<void()> tell_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

}  // namespace stage
