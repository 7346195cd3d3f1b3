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

/// How a child process exited.
struct ChildExit {
    int code = -1;   ///< exit code, or -1 if a signal killed it
    int signal = 0;  ///< that signal, or 0

    /// "exit code 7", "killed by SIGSEGV".
    std::string text() const;
};

/// What a new generation is started with.
struct SuccessorPlan {
    OwnCommand command{};
    std::vector<const ListeningSocket*> sockets{};
    /// Descriptors of the generations that are still running, see openProcess. A starter that serves clients adds
    /// itself as the last one.
    std::vector<int> older{};
    /// Additional fields of the message `start`.
    std::vector<std::pair<std::string, std::string>> fields{};
    /// See SpawnOptions.
    std::vector<std::string> environment{};
    std::vector<int> blockedSignals{};
    /// Time for it to become ready before it is killed.
    Duration startTimeout = std::chrono::seconds(30);
};

/// The next generation of this service, seen from the process that starts it: it gets the listening sockets, reports
/// that it is ready, is checked, is told to serve, and serves; see RestartChannel for the messages. The starter keeps
/// serving until onServing is called. If onFailed is called instead, nothing has changed for its clients.
///
/// A successor that is not ready in time is killed. Once it was told to serve it may have clients: from then on it is
/// killed only if it closes the channel without having served, and has not exited two seconds later.
///
/// Used on the loop's thread only, except for forceExit(). The callbacks run there, too; they may destroy the
/// Successor.
class Successor {
public:
    struct Callbacks {
        /// It accepts clients.
        std::function<void()> onServing;
        /// It has exited, or was killed, before it served. `reason` is one sentence.
        std::function<void(const std::string& reason, const ChildExit& exit)> onFailed;
        /// It has exited after it served.
        std::function<void(const ChildExit& exit)> onExited;
        /// Any other message that it sends while it serves.
        std::function<void(const RestartMessage& message)> onMessage;
    };

    /// Creates the channel to the new process. Throws std::system_error.
    Successor(PollLoop& loop, const SuccessorPlan& plan, Callbacks callbacks);

    /// Starts the process. Called once. Throws std::system_error if the program does not exist or cannot be
    /// run. If SIGCHLD is ignored in this process, its default disposition is restored.
    void start(const SuccessorPlan& plan);

    /// Reaps the process if it has exited. A running one keeps running.
    ~Successor();

    Successor(const Successor&) = delete;
    Successor& operator=(const Successor&) = delete;

    /// 0 before start().
    pid_t pid() const { return pid_; }
    bool isServing() const { return state_ == State::serving; }
    bool hasExited() const { return exit_.has_value(); }
    /// It was told to serve, so it may have clients.
    bool mayServe() const { return mayServe_; }

    Duration spawnTook() const { return spawned_ - begin_; }
    /// Time from the construction until it was serving.
    Duration readyTook() const { return serving_ - begin_; }

    void send(const RestartMessage& message) const { channel_->send(message); }

    /// For a forced exit of this process: keeps the new process from serving in its place, whatever state that is in,
    /// even in the middle of start(). May be called from every thread while the Successor exists.
    void forceExit() const noexcept;

    /// Kills it, and blocks until it has exited. No callback is called any more.
    void kill();

    /// Readable once it has exited, see openProcess.
    int descriptor() const { return process_.get(); }

private:
    enum class State {
        starting,
        serveSent,  ///< it was ready and checked
        serving,
        killed,  ///< before it served
    };

    void onReadable();
    void onMessage(const RestartMessage& message);
    void onReady(const RestartMessage& ready);
    void onProcessExited();
    void fail(std::string reason);
    void post(std::function<void()> callback);
    void unwatch();

    PollLoop& loop_;
    const Callbacks callbacks_;
    const std::vector<std::string> inodes_;
    const TimePoint begin_;
    TimePoint spawned_;
    TimePoint serving_;
    FileDescriptor theirEnd_;  // of the channel, until the process is started
    std::unique_ptr<RestartChannel> channel_;
    std::atomic<pid_t> pid_ = 0;
    FileDescriptor process_;
    State state_ = State::starting;
    bool mayServe_ = false;
    std::string failure_;
    PollLoop::Timer startTimer_ = 0;
    PollLoop::Timer disconnectTimer_ = 0;  // between the end of the channel and the exit of the process
    std::optional<ChildExit> exit_;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace lifecycle
