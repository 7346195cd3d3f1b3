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
        if (called_ == found->second) {
            called_ = 0;
        }
        watchOf_.erase(found);
    }
}

void PollLoop::pause(int descriptor) {
    setWatching(descriptor, false);
}

void PollLoop::resume(int descriptor) {
    setWatching(descriptor, true);
}

void PollLoop::setWatching(int descriptor, bool watching) {
    const auto found = watchOf_.find(descriptor);
    if (found != watchOf_.end()) {
        epoll_event event{};
        event.events = watching ? EPOLLIN : 0U;
        event.data.u64 = found->second;
        ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
    }
}

PollLoop::Timer PollLoop::at(TimePoint moment, Action action) {
    timers_.emplace(moment, TimerEntry{.timer = ++lastTimer_, .action = std::move(action)});
    return lastTimer_;
}

void PollLoop::cancel(Timer timer) {
    if (timer != 0) {
        std::erase_if(timers_, [timer](const auto& entry) { return entry.second.timer == timer; });
    }
}

PollLoop::PreparedTimer::PreparedTimer(PollLoop& loop, Action action) : loop_(loop), action_(std::move(action)) {
    Timers one;
    one.emplace(TimePoint(), TimerEntry{.prepared = this});
    entry_ = one.extract(one.begin());
}

void PollLoop::PreparedTimer::at(TimePoint moment) noexcept {
    cancel();
    entry_.key() = moment;
    place_ = loop_.timers_.insert(std::move(entry_));
}

void PollLoop::PreparedTimer::cancel() noexcept {
    if (isSet()) {
        entry_ = loop_.timers_.extract(place_);
    }
}

void PollLoop::notify() noexcept {
    if (!notified_.exchange(true)) {
        ::eventfd_write(wake_.get(), 1);
    }
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
        const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), millisecondsToNextTimer());
        if (count < 0 && errno != EINTR) {  // EINTR: stopped and continued
            throw std::system_error(errno, std::generic_category(), "epoll_wait");
        }
        for (int i = 0; i < count; ++i) {
            call(events[i].data.u64);
        }
        fireTimers();
        eventfd_t ignored;
        ::eventfd_read(wake_.get(), &ignored);
        if (notified_.exchange(false)) {
            onNotify_();
        }
        takePosted();
        const std::lock_guard lock(mutex_);
        if (stopped_) {
            return;
        }
    }
}

void PollLoop::call(Watch watch) {
    auto entry = watched_.extract(watch);  // empty if an action before this one had it forgotten
    if (!entry.empty()) {
        called_ = watch;
        entry.mapped()();
        if (called_ == watch) {  // it has not forgotten itself
            watched_.insert(std::move(entry));
        }
        called_ = 0;
    }
}

int PollLoop::millisecondsToNextTimer() const {
    if (timers_.empty()) {
        return -1;
    }
    const Duration rest = timers_.begin()->first - Clock::now();
    return static_cast<int>(std::clamp<long long>(
        std::chrono::ceil<std::chrono::milliseconds>(rest).count(), 0, 1'000'000));
}

void PollLoop::fireTimers() {
    const TimePoint now = Clock::now();
    while (!timers_.empty() && timers_.begin()->first <= now) {
        Timers::node_type entry = timers_.extract(timers_.begin());
        if (PreparedTimer* const prepared = entry.mapped().prepared) {
            prepared->entry_ = std::move(entry);
            prepared->action_();
        } else {
            entry.mapped().action();
        }
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
