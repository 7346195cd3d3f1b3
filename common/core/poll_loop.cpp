#include "lifecycle/poll_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace lifecycle {
namespace {

FileDescriptor checked(int descriptor, const char* what) {
    if (descriptor == -1) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return FileDescriptor(descriptor);
}

void add(int epoll, int descriptor, std::uint64_t watch) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = watch;
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == -1) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
}

}  // namespace

PollLoop::PollLoop()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    add(epoll_.get(), wake_.get(), 0);
}

void PollLoop::watch(int descriptor, Action readable) {
    forget(descriptor);
    add(epoll_.get(), descriptor, ++lastWatch_);
    watchOf_[descriptor] = lastWatch_;
    watched_[lastWatch_] = std::move(readable);
}

void PollLoop::forget(int descriptor) {
    const auto found = watchOf_.find(descriptor);
    if (found != watchOf_.end()) {
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
        watched_.erase(found->second);
        watchOf_.erase(found);
    }
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
    std::array<epoll_event, 16> events{};  // the rest is reported in the next turn
    for (;;) {
        const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), millisecondsToNextAlarm());
        if (count < 0 && errno != EINTR) {  // EINTR: stopped and continued
            throw std::system_error(errno, std::generic_category(), "epoll_wait");
        }
        for (int i = 0; i < count; ++i) {
            // An action before this one may have had it forgotten.
            const auto found = watched_.find(events[i].data.u64);
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
