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

/// An exiting process closes its descriptors before its exit code is known, on a busy machine long before.
constexpr Duration endFollows = std::chrono::seconds(2);

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

/// Whoever started this process may have made it ignore SIGCHLD; then the kernel reaps children by itself.
void letChildrenBeWaitedFor() {
    struct sigaction action{};
    if (::sigaction(SIGCHLD, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
        ::signal(SIGCHLD, SIG_DFL);
    }
}

/// Waits for the end of a child, and leaves it to be reaped: until then its pid is not given away.
ChildEnd endOf(pid_t pid) {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == -1 && errno == EINTR) {
    }
    return info.si_code == CLD_EXITED ? ChildEnd{info.si_status, 0} : ChildEnd{-1, info.si_status};
}

}  // namespace

std::string ChildEnd::text() const {
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
    letChildrenBeWaitedFor();
    pid_ = spawn(plan.command.argv, optionsFor(plan, theirEnd_.get()));
    theirEnd_.reset();
    spawned_ = Clock::now();
    try {
        process_ = openProcess(pid_);
        loop_.watch(channel_->descriptor(), [this] { listen(); });
        loop_.watch(process_.get(), [this] { ended(); });
    } catch (...) {
        forgetAll();
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_.exchange(0), nullptr, 0);
        throw;
    }
    timeout_ = loop_.in(plan.startTimeout, [this, limit = plan.startTimeout] {
        fail("not serving after " + formatDuration(limit) + ": killed");
    });
}

Successor::~Successor() {
    forgetAll();
    if (end_) {
        ::waitpid(pid_, nullptr, 0);
    }
}

void Successor::forgetAll() {
    loop_.forget(channel_->descriptor());
    loop_.forget(process_.get());
    loop_.cancel(timeout_);
    loop_.cancel(silence_);
}

/// Later, on the loop: whoever is called may destroy this object.
void Successor::tell(std::function<void()> callback) {
    loop_.post([alive = std::weak_ptr(alive_), callback = std::move(callback)] {
        if (!alive.expired()) {
            callback();
        }
    });
}

void Successor::kill() {
    forgetAll();
    alive_.reset();
    if (!end_) {
        ::kill(pid_, SIGKILL);
        end_ = endOf(pid_);
    }
}

void Successor::forceEnd() const noexcept {
    channel_->send({"end"});  // in case its pid is not known here yet
    if (const pid_t pid = pid_) {
        ::kill(pid, SIGKILL);  // not reaped yet
    }
}

void Successor::listen() {
    while (const std::optional<RestartMessage> message = channel_->receive()) {
        take(*message);
    }
    if (channel_->ended()) {
        loop_.forget(channel_->descriptor());
        if (state_ != State::serving && !end_) {
            silence_ = loop_.in(endFollows, [this] {
                fail(state_ == State::starting ? "closed the pipe without a word: killed"
                                               : "closed the pipe before it served: killed");
            });
        }
    }
}

void Successor::take(const RestartMessage& message) {
    if (message.word == "ready" && state_ == State::starting) {
        check(message);
    } else if (message.word == "serving" && state_ == State::told) {
        state_ = State::serving;
        serving_ = Clock::now();
        tell(callbacks_.serving);
    } else if (state_ == State::serving) {
        tell([said = callbacks_.said, message] { said(message); });
    }
}

void Successor::check(const RestartMessage& ready) {
    if (ready.number("version") != RestartChannel::version) {
        fail("speaks version " + std::string(ready.text("version")) + " of the hand-over, not " +
             std::to_string(RestartChannel::version) + ": killed");
        return;
    }
    if (ready.number("pid") != static_cast<std::uint64_t>(pid_)) {
        fail("says it is process " + std::string(ready.text("pid")) + ", not " + std::to_string(pid_) + ": killed");
        return;
    }
    std::string inodes;
    for (const std::string& inode : inodes_) {
        inodes += (inodes.empty() ? "" : ",") + inode;
    }
    if (ready.text("inodes") != inodes) {
        fail("has other sockets (" + std::string(ready.text("inodes")) + ") than it was given (" + inodes +
             "): killed");
        return;
    }
    state_ = State::told;
    mayServe_ = true;
    loop_.cancel(timeout_);
    say({"serve"});
}

void Successor::fail(std::string reason) {
    if (state_ != State::failing && !end_) {
        state_ = State::failing;
        reason_ = std::move(reason);
        ::kill(pid_, SIGKILL);  // ended() follows
    }
}

void Successor::ended() {
    end_ = endOf(pid_);
    listen();  // its last words
    const bool served = state_ == State::serving;
    forgetAll();
    if (served) {
        tell([gone = callbacks_.gone, end = *end_] { gone(end); });
    } else {
        tell([failed = callbacks_.failed, reason = reason_.empty() ? end_->text() : reason_, end = *end_] {
            failed(reason, end);
        });
    }
}

}  // namespace lifecycle
