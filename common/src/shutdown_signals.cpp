#include "lifecycle/shutdown_signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "lifecycle/exit_code.h"
#include "lifecycle/signal_event.h"
#include "quiet_thread.h"

namespace lifecycle {
namespace {

constexpr std::array ending{SIGINT, SIGTERM};
/// Signals count as one up to here. The promise is 50 ms between two that are sent; what is measured is
/// when they are taken, which is a little later for one than for the other.
constexpr Duration bounce = std::chrono::milliseconds(45);

/// How long the log may wait for its reader: when the process is forced to end, and at the first signal,
/// since the second one is not taken meanwhile.
constexpr Duration lastWordsLimit = std::chrono::milliseconds(20);

int checked(int result, const char* what) {
    if (result == -1) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

}  // namespace

ShutdownSignals::ShutdownSignals(EventLog& events, std::span<const int> others)
    : events_(events), stopping_(withCancel(Context::background())) {
    std::vector<int> handled(ending.begin(), ending.end());
    handled.insert(handled.end(), others.begin(), others.end());
    blockSignals(handled);
    const sigset_t set = signalSet(handled);
    signals_ = checked(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    wake_ = checked(::eventfd(0, EFD_CLOEXEC), "eventfd");
    thread_ = detail::startQuietThread("signals", [this] { run(); });
}

ShutdownSignals::~ShutdownSignals() {
    ::eventfd_write(wake_, 1);
    thread_.join();
    ::close(wake_);
    ::close(signals_);
}

void ShutdownSignals::onForced(std::function<void()> lastWords) {
    const std::lock_guard lock(mutex_);
    lastWords_ = std::move(lastWords);
}

void ShutdownSignals::run() {
    std::array<pollfd, 2> sources{{{signals_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    for (;;) {
        if (::poll(sources.data(), sources.size(), -1) < 0) {
            continue;  // EINTR: stopped and continued
        }
        if (sources[1].revents != 0) {
            return;
        }
        signalfd_siginfo info{};
        if (::read(signals_, &info, sizeof info) == sizeof info) {
            take({static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid), info.ssi_uid,
                  info.ssi_code == SI_KERNEL});
        }
    }
}

void ShutdownSignals::on(int number, Action action) {
    const std::lock_guard lock(mutex_);
    reactions_[number].action = std::move(action);
}

void ShutdownSignals::before(int number, Action hook) {
    const std::lock_guard lock(mutex_);
    reactions_[number].before.push_back(std::move(hook));
}

void ShutdownSignals::after(int number, Action hook) {
    const std::lock_guard lock(mutex_);
    reactions_[number].after.push_back(std::move(hook));
}

void ShutdownSignals::take(const SignalInfo& signal) {
    const bool ends = std::find(ending.begin(), ending.end(), signal.number) != ending.end();
    if (ends && first_) {
        if (Clock::now() - *first_ >= bounce) {
            force(signal);
        }
        return;
    }
    const TimePoint now = Clock::now();
    logSignal(events_, signal, lastWordsLimit);
    if (ends) {
        first_ = now;
        react(signal, [this, &signal] { stopping_.cancel(signalName(signal.number)); });
    } else {
        react(signal, {});
    }
}

ShutdownSignals::Reaction ShutdownSignals::reactionTo(int number) {
    const std::lock_guard lock(mutex_);
    const auto found = reactions_.find(number);
    return found == reactions_.end() ? Reaction{} : found->second;
}

void ShutdownSignals::react(const SignalInfo& signal, const Action& action) {
    const Reaction reaction = reactionTo(signal.number);  // a copy: hooks may add hooks
    for (const Action& hook : reaction.before) {
        hook();
    }
    if (action) {
        action();
    } else if (reaction.action) {
        reaction.action();
    }
    for (const Action& hook : reaction.after) {
        hook();
    }
}

void ShutdownSignals::force(const SignalInfo& signal) {
    const int code = exitForcedBy(signal.number);
    logSignal(events_, signal, lastWordsLimit);
    {
        const std::lock_guard lock(mutex_);
        if (lastWords_) {
            lastWords_();
        }
    }
    events_.emitWithin(lastWordsLimit, "exit",
                       {{"code", code}, {"note", "second signal: ended at once"}});
    ::_exit(code);
}

}  // namespace lifecycle
