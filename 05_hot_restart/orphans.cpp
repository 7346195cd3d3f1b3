#include "orphans.h"

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "lifecycle/signals.h"

namespace stage {
namespace {

constexpr std::array childSignals{SIGCHLD};

lifecycle::FileDescriptor openChildSignal() {
    lifecycle::blockSignals(childSignals);
    const sigset_t set = lifecycle::signalSet(childSignals);
    lifecycle::FileDescriptor descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor) {
        throw std::system_error(errno, std::generic_category(), "signalfd");
    }
    return descriptor;
}

}  // namespace

Orphans::Orphans(lifecycle::PollLoop& loop, std::function<bool(pid_t)> isOurs)
    : loop_(loop), isOurs_(std::move(isOurs)), childSignal_(openChildSignal()) {
    loop_.watch(childSignal_.get(), [this] {
        signalfd_siginfo info{};
        while (::read(childSignal_.get(), &info, sizeof info) > 0) {
        }
        reap();
    });
    loop_.post([this] { reap(); });  // some may have exited before
}

Orphans::~Orphans() {
    loop_.forget(childSignal_.get());
}

void Orphans::reap() {
    siginfo_t child{};
    while (::waitid(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid != 0 &&
           !isOurs_(child.si_pid)) {
        ::waitpid(child.si_pid, nullptr, 0);
        child = {};
    }
}

}  // namespace stage
