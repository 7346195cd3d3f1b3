#include "lifecycle/successor.h"

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "lifecycle/process_descriptor.h"
#include "lifecycle/signals.h"
#include "lifecycle/spawn.h"

namespace lifecycle {
namespace {

/// Time for a process that has closed its channel to exit. The kernel closes the descriptors of an exiting process
/// before it reports the exit; on a busy machine, long before.
constexpr Duration exitGrace = std::chrono::seconds(2);

std::vector<std::string> inodesOf(const std::vector<const ListeningSocket*>& sockets) {
    std::vector<std::string> inodes;
    for (const ListeningSocket* socket : sockets) {
        inodes.push_back(std::to_string(socket->inode()));
    }
    return inodes;
}

RestartMessage startMessage(const SuccessorPlan& plan) {
    RestartMessage start{"start", plan.fields};
    start.fields.emplace_back("version", std::to_string(RestartChannel::version));
    for (std::size_t i = 0; i < plan.sockets.size(); ++i) {
        start.fields.emplace_back("socket" + std::to_string(i), plan.sockets[i]->address().toString());
        if (!plan.sockets[i]->file().empty()) {
            start.fields.emplace_back("file" + std::to_string(i), plan.sockets[i]->file());
        }
    }
    return start;
}

SpawnOptions optionsFor(const SuccessorPlan& plan, int channel) {
    SpawnOptions options{.environment = plan.environment,
                         .directory = plan.command.directory,
                         .blockedSignals = plan.blockedSignals};
    std::string names;
    for (const ListeningSocket* socket : plan.sockets) {
        options.descriptors.push_back(socket->descriptor());
        names += "socket:";
    }
    options.descriptors.push_back(channel);
    names += "restart";
    for (const int older : plan.older) {
        options.descriptors.push_back(older);
        names += ":older";
    }
    options.environment.push_back("LISTEN_FDS=" + std::to_string(options.descriptors.size()));
    options.environment.push_back("LISTEN_FDNAMES=" + names);
    options.environment.push_back("LISTEN_PID");
    return options;
}

/// If this process was started with SIGCHLD ignored, the kernel would reap its children and drop their exit codes.
void restoreChildSignal() {
    struct sigaction action{};
    if (::sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
        ::signal(SIGCHLD, SIG_DFL);
    }
}

/// Blocks until a child has exited, and does not reap it, so that its pid is not reused yet.
ChildExit waitForExit(pid_t pid) {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == -1 && errno == EINTR) {
    }
    return info.si_code == CLD_EXITED ? ChildExit{info.si_status, 0} : ChildExit{-1, info.si_status};
}

}  // namespace

std::string ChildExit::text() const {
    return signal != 0 ? "killed by " + signalName(signal) : "exit code " + std::to_string(code);
}

Successor::Successor(PollLoop& loop, const SuccessorPlan& plan, Callbacks callbacks)
    : loop_(loop), callbacks_(std::move(callbacks)), inodes_(inodesOf(plan.sockets)), begin_(Clock::now()) {
    RestartChannel::Ends ends = RestartChannel::make();
    theirEnd_ = std::move(ends.theirs);
    channel_ = std::make_unique<RestartChannel>(std::move(ends.ours));
    if (!channel_->send(startMessage(plan))) {
        throw std::system_error(errno, std::generic_category(), "cannot send a new generation its start message");
    }
}

void Successor::start(const SuccessorPlan& plan) {
    restoreChildSignal();
    pid_ = spawn(plan.command.argv, optionsFor(plan, theirEnd_.get()));
    theirEnd_.reset();
    spawned_ = Clock::now();
    try {
        process_ = openProcess(pid_);
        loop_.watch(channel_->descriptor(), [this] { onReadable(); });
        loop_.watch(process_.get(), [this] { onProcessExited(); });
    } catch (...) {
        unwatch();
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_.exchange(0), nullptr, 0);
        throw;
    }
    startTimer_ = loop_.in(plan.startTimeout, [this, limit = plan.startTimeout] {
        fail("not serving after " + formatDuration(limit) + ": killed");
    });
}

Successor::~Successor() {
    unwatch();
    if (exit_) {
        ::waitpid(pid_, nullptr, 0);
    }
}

void Successor::unwatch() {
    loop_.forget(channel_->descriptor());
    loop_.forget(process_.get());
    loop_.cancel(startTimer_);
    loop_.cancel(disconnectTimer_);
}

/// Not called directly: a callback may destroy this object.
void Successor::post(std::function<void()> callback) {
    loop_.post([alive = std::weak_ptr(alive_), callback = std::move(callback)] {
        if (!alive.expired()) {
            callback();
        }
    });
}

void Successor::kill() {
    unwatch();
    alive_.reset();
    if (!exit_) {
        ::kill(pid_, SIGKILL);
        exit_ = waitForExit(pid_);
    }
}

void Successor::forceExit() const noexcept {
    channel_->send({"shutdown"});  // in case its pid is not known here yet
    if (const pid_t pid = pid_) {
        ::kill(pid, SIGKILL);  // not reaped yet
    }
}

void Successor::onReadable() {
    while (const std::optional<RestartMessage> message = channel_->receive()) {
        onMessage(*message);
    }
    if (channel_->ended()) {
        loop_.forget(channel_->descriptor());
        if (state_ != State::serving && !exit_) {
            disconnectTimer_ = loop_.in(exitGrace, [this] {
                fail(state_ == State::starting ? "closed its channel before it was ready: killed"
                                               : "closed its channel before it served: killed");
            });
        }
    }
}

void Successor::onMessage(const RestartMessage& message) {
    if (message.word == "ready" && state_ == State::starting) {
        onReady(message);
    } else if (message.word == "serving" && state_ == State::serveSent) {
        state_ = State::serving;
        serving_ = Clock::now();
        post(callbacks_.onServing);
    } else if (state_ == State::serving) {
        post([onMessage = callbacks_.onMessage, message] { onMessage(message); });
    }
}

void Successor::onReady(const RestartMessage& ready) {
    if (ready.number("version") != RestartChannel::version) {
        fail("uses version " + std::string(ready.text("version")) + " of the hand-over protocol, not " +
             std::to_string(RestartChannel::version) + ": killed");
        return;
    }
    if (ready.number("pid") != static_cast<std::uint64_t>(pid_)) {
        fail("reports pid " + std::string(ready.text("pid")) + ", not " + std::to_string(pid_) + ": killed");
        return;
    }
    std::string inodes;
    for (const std::string& inode : inodes_) {
        inodes += (inodes.empty() ? "" : ",") + inode;
    }
    if (ready.text("inodes") != inodes) {
        fail("reports sockets " + std::string(ready.text("inodes")) + ", but was given " + inodes + ": killed");
        return;
    }
    state_ = State::serveSent;
    mayServe_ = true;
    loop_.cancel(startTimer_);
    send({"serve"});
}

void Successor::fail(std::string reason) {
    if (state_ != State::killed && !exit_) {
        state_ = State::killed;
        failure_ = std::move(reason);
        ::kill(pid_, SIGKILL);  // onProcessExited() follows
    }
}

void Successor::onProcessExited() {
    exit_ = waitForExit(pid_);
    onReadable();  // messages that it sent before it exited
    const bool served = state_ == State::serving;
    unwatch();
    if (served) {
        post([onExited = callbacks_.onExited, exit = *exit_] { onExited(exit); });
    } else {
        post([onFailed = callbacks_.onFailed, reason = failure_.empty() ? exit_->text() : failure_, exit = *exit_] {
            onFailed(reason, exit);
        });
    }
}

}  // namespace lifecycle
