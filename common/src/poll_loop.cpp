#include "lifecycle/poll_loop.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lifecycle {
namespace {

int newEventDescriptor() {
    const int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor == -1) {
        throw std::system_error(errno, std::generic_category(), "eventfd");
    }
    return descriptor;
}

}  // namespace

PollLoop::PollLoop() : wake_(newEventDescriptor()) {}

void PollLoop::watch(int descriptor, Action readable) {
    watched_[descriptor] = std::move(readable);
}

void PollLoop::forget(int descriptor) {
    watched_.erase(descriptor);
}

PollLoop::Timer PollLoop::at(TimePoint moment, Action action) {
    alarms_.emplace(moment, Alarm{++lastTimer_, std::move(action)});
    return lastTimer_;
}

void PollLoop::cancel(Timer timer) {
    std::erase_if(alarms_, [timer](const auto& alarm) { return alarm.second.timer == timer; });
}

void PollLoop::post(Action action) {
    {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(action));
    }
    ::eventfd_write(wake_.get(), 1);
}

void PollLoop::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    ::eventfd_write(wake_.get(), 1);
}

void PollLoop::run() {
    for (;;) {
        std::vector<pollfd> entries{{wake_.get(), POLLIN, 0}};
        for (const auto& [descriptor, action] : watched_) {
            entries.push_back({descriptor, POLLIN, 0});
        }
        if (::poll(entries.data(), entries.size(), millisecondsToNextAlarm()) < 0) {
            continue;  // EINTR: stopped and continued
        }
        for (auto entry = entries.begin() + 1; entry != entries.end(); ++entry) {
            // An action before this one may have had it forgotten.
            const auto found = entry->revents != 0 ? watched_.find(entry->fd) : watched_.end();
            if (found != watched_.end()) {
                const Action action = found->second;  // it may forget itself
                action();
            }
        }
        soundAlarms();
        eventfd_t ignored;
        ::eventfd_read(wake_.get(), &ignored);
        takePosted();
        const std::lock_guard lock(mutex_);
        if (stopped_) {
            return;
        }
    }
}

int PollLoop::millisecondsToNextAlarm() const {
    if (alarms_.empty()) {
        return -1;
    }
    const Duration rest = alarms_.begin()->first - Clock::now();
    return static_cast<int>(std::clamp<long long>(
        std::chrono::ceil<std::chrono::milliseconds>(rest).count(), 0, 1'000'000));
}

void PollLoop::soundAlarms() {
    const TimePoint now = Clock::now();
    while (!alarms_.empty() && alarms_.begin()->first <= now) {
        alarms_.extract(alarms_.begin()).mapped().action();
    }
}

void PollLoop::takePosted() {
    std::vector<Action> posted;
    {
        const std::lock_guard lock(mutex_);
        posted.swap(posted_);
    }
    for (const Action& action : posted) {
        action();
    }
}

}  // namespace lifecycle
