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
#include "core/quiet_thread.h"
#include "core/timer_queue.h"

namespace lifecycle {
namespace {

/// Signals count as one up to here. The promise is 50 ms between two that are sent; what is measured is
/// when they are taken, which is a little later for one than for the other.
constexpr Duration bounce = std::chrono::milliseconds(45);

/// How long the log may wait for its reader: when the process is forced to end, and at the first signal,
/// since the second one is not taken meanwhile.
constexpr Duration logLimit = std::chrono::milliseconds(20);

int checked(int result, const char* what) {
    if (result == -1) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

bool contains(const std::vector<int>& numbers, int number) {
    return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

/// The terminal was closed: this asks neither for a reload nor for a forced exit.
bool isHangUp(const SignalInfo& signal) {
    return signal.number == SIGHUP && signal.fromKernel;
}

void ignoreUnlessUsed(int number) {
    sigset_t blocked;
    struct sigaction action {};
    ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    if (!sigismember(&blocked, number) && ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
        ::signal(number, SIG_IGN);
    }
}

}  // namespace

ShutdownSignals::ShutdownSignals(EventLog& events, ShutdownSignalsOptions options)
    : events_(events), options_(std::move(options)), stopping_(withCancel(Context::background())) {
    std::vector<int> handled = options_.shutdown;
    handled.insert(handled.end(), options_.others.begin(), options_.others.end());
    const sigset_t set = blockSignals(handled);
    ignoreUnlessUsed(SIGUSR1);
    ignoreUnlessUsed(SIGUSR2);
    signals_ = checked(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    wake_ = checked(::eventfd(0, EFD_CLOEXEC), "eventfd");
    detail::TimerQueue::instance().start();  // for the deadline of the shutdown: later there may be no thread left
    thread_ = detail::startQuietThread("signals", [this] { run(); });
}

ShutdownSignals::~ShutdownSignals() {
    stop();
    ::close(wake_);
    ::close(signals_);
}

void ShutdownSignals::stop() {
    if (thread_.joinable()) {
        ::eventfd_write(wake_, 1);
        thread_.join();
        while (takeNext()) {
        }
    }
}

void ShutdownSignals::onForced(std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    onForced_ = std::move(callback);
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
        takeNext();
    }
}

bool ShutdownSignals::takeNext() {
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) {
        return false;
    }
    take({static_cast<int>(info.ssi_signo), static_cast<pid_t>(info.ssi_pid), info.ssi_uid,
          info.ssi_code == SI_KERNEL});
    return true;
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

bool ShutdownSignals::asksForShutdown(const SignalInfo& signal) const {
    return isHangUp(signal) ||
           (contains(options_.shutdown, signal.number) && !contains(options_.others, signal.number));
}

void ShutdownSignals::take(const SignalInfo& signal) {
    const TimePoint now = Clock::now();
    const bool shutsDown = asksForShutdown(signal);
    if (shutsDown && first_) {
        if (now - *first_ >= bounce) {
            takeAnother(signal);
        }
        return;
    }
    logSignal(events_, signal, logLimit);
    if (shutsDown) {
        first_ = now;
        react(signal, [this, &signal] { stopping_.cancel(signalName(signal.number)); });
    } else {
        react(signal, {});
    }
}

void ShutdownSignals::takeAnother(const SignalInfo& signal) {
    const bool fromPerson = signal.number == SIGINT || signal.number == SIGQUIT;
    if (isHangUp(signal) || !(fromPerson || options_.secondTermForces)) {
        logSignal(events_, signal, logLimit, "ignored: the shutdown is under way");
    } else {
        force(signal);
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
    logSignal(events_, signal, logLimit);
    {
        const std::lock_guard lock(mutex_);
        if (onForced_) {
            onForced_();
        }
    }
    events_.emitWithin(logLimit, "exit",
                       {{"code", code}, {"note", "second signal: forced exit"}});
    ::_exit(code);
}

}  // namespace lifecycle
