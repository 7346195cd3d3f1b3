#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lifecycle/duration.h"
#include "lifecycle/file_descriptor.h"
#include "lifecycle/listening_socket.h"
#include "lifecycle/own_command.h"
#include "lifecycle/poll_loop.h"
#include "lifecycle/restart_channel.h"

namespace lifecycle {

/// How a child process ended.
struct ChildEnd {
    int code = -1;   ///< exit code, or -1 when a signal ended it
    int signal = 0;  ///< that signal, or 0

    /// "exit code 7", "killed by SIGSEGV".
    std::string text() const;
};

/// What a new generation is started with.
struct SuccessorPlan {
    OwnCommand command{};
    std::vector<const ListeningSocket*> sockets{};
    /// Generations that are still running, see openProcess; the starter adds itself at the end if it serves clients.
    std::vector<int> older{};
    /// More fields of the message `start`.
    std::vector<std::pair<std::string, std::string>> fields{};
    /// See SpawnOptions.
    std::vector<std::string> environment{};
    std::vector<int> blockedSignals{};
    /// Time for it to become ready before it is killed.
    Duration startTimeout = std::chrono::seconds(30);
};

/// The next generation of this service: a process that is started with the listening sockets, says
/// that it is ready, is checked, and serves; see RestartChannel for the order. The process that
/// starts it stays as it is until `serving` is called, and on `failed` nothing has happened to it.
///
/// It is killed if it is not ready in time, but never once it may have clients.
///
/// To be used on the loop's thread only, except for forceEnd(). The callbacks run there, too; they may destroy
/// the Successor.
class Successor {
public:
    struct Callbacks {
        std::function<void()> serving;
        /// It will not serve, and is gone: one sentence, and how it ended.
        std::function<void(const std::string& reason, const ChildEnd& end)> failed;
        /// It has served, and has ended.
        std::function<void(const ChildEnd& end)> gone;
        /// Any other message from it.
        std::function<void(const RestartMessage& message)> said;
    };

    /// Creates the channel to the new process. Throws std::system_error.
    Successor(PollLoop& loop, const SuccessorPlan& plan, Callbacks callbacks);

    /// Starts the process; to be called once. Throws std::system_error if there is no such program, or it cannot be
    /// run. If SIGCHLD is ignored in this process, its default disposition is restored.
    void start(const SuccessorPlan& plan);

    /// Reaps it if it has ended. One that lives lives on.
    ~Successor();

    Successor(const Successor&) = delete;
    Successor& operator=(const Successor&) = delete;

    /// 0 before start().
    pid_t pid() const { return pid_; }
    bool isServing() const { return state_ == State::serving; }
    bool hasEnded() const { return end_.has_value(); }
    /// It may already accept clients.
    bool mayServe() const { return mayServe_; }

    Duration spawnTook() const { return spawned_ - begin_; }
    /// From the beginning until it was serving.
    Duration readyTook() const { return serving_ - begin_; }

    void say(const RestartMessage& message) const { channel_->send(message); }

    /// For a forced exit of this process: keeps the new process from serving in its place, whatever state that is in,
    /// even in the middle of start(). May be called from every thread while the Successor exists.
    void forceEnd() const noexcept;

    /// Kills it, and waits until it is gone. No callback is called any more.
    void kill();

    /// A descriptor that tells of its end, see openProcess.
    int descriptor() const { return process_.get(); }

private:
    enum class State { starting, told, serving, failing };

    void listen();
    void take(const RestartMessage& message);
    void check(const RestartMessage& ready);
    void fail(std::string reason);
    void ended();
    void tell(std::function<void()> callback);
    void forgetAll();

    PollLoop& loop_;
    const Callbacks callbacks_;
    const std::vector<std::string> inodes_;
    const TimePoint begin_;
    TimePoint spawned_;
    TimePoint serving_;
    FileDescriptor theirEnd_;  // of the channel, until it is started
    std::unique_ptr<RestartChannel> channel_;
    std::atomic<pid_t> pid_ = 0;
    FileDescriptor process_;
    State state_ = State::starting;
    bool mayServe_ = false;
    std::string reason_;
    PollLoop::Timer timeout_ = 0;
    PollLoop::Timer silence_ = 0;
    std::optional<ChildEnd> end_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace lifecycle
