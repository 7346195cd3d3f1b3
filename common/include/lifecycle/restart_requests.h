#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <string>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/poll_loop.h"
#include "lifecycle/restart_channel.h"

namespace lifecycle {

/// A signal asks for a restart and tells nobody how it went. These requests do: they come over a Unix
/// socket beside the pid file (PIDFILE.sock, for the same user alone), each on a connection of its own,
/// and each is told the outcome of the restart that it has caused, see requestRestart().
///
/// The generation that serves listens: a new one puts its socket in place of the old one's. Used on the
/// loop's thread alone. Does nothing if the pid file's path is empty.
class RestartRequests {
public:
    /// `requested` is called when somebody asks; it must lead to one of the functions below.
    RestartRequests(PollLoop& loop, const std::string& pidFile, std::function<void(pid_t, uid_t)> requested);

    /// close()
    ~RestartRequests();

    RestartRequests(const RestartRequests&) = delete;
    RestartRequests& operator=(const RestartRequests&) = delete;

    /// Listens. Throws std::system_error.
    void open();

    /// The service shuts down, which clients that wait are told. Removes the socket if it is still this process
    /// that listens there.
    void close() noexcept;

    /// Another process serves: those whose restart has not begun ask that one.
    void moved();

    /// Somebody has asked for a restart that has not begun.
    bool areWaiting() const;

    /// Those that have asked so far wait for the restart that makes this generation.
    void begun(unsigned generation);

    /// It serves, and the generation before will not take over again.
    void served(unsigned generation, pid_t pid);
    /// It does not: one sentence.
    void failed(unsigned generation, const std::string& reason);
    /// No restart is begun for those that have asked.
    void refused(const std::string& reason);

private:
    struct Client {
        RestartChannel channel;
        bool asked = false;
        unsigned generation = 0;  ///< 0: no restart has begun for it
    };
    using Clients = std::list<Client>;

    void accept();
    void listenTo(Clients::iterator client);
    void answer(bool asked, unsigned generation, const RestartMessage& outcome);
    void forget(Clients::iterator client);
    void stopListening();

    PollLoop& loop_;
    const std::string path_;
    const std::function<void(pid_t, uid_t)> requested_;
    FileDescriptor socket_;
    std::string file_;  // which file the socket is
    unsigned latest_ = 0;  // generation whose start has begun last
    bool isStarting_ = false;
    PollLoop::Timer retry_ = 0;
    Clients clients_;
};

/// What has become of a restart.
struct RestartOutcome {
    enum class Kind {
        served,   ///< the new generation serves
        failed,   ///< it does not, or no restart was begun; the service is as it was
        nobody,   ///< there is no service to ask
    };
    Kind kind;
    std::string text;  ///< one sentence
};

/// Asks the service with this pid file for a restart. Blocks until it is known what has become of it, which
/// includes the time in which the old generation could take over again. Never throws.
RestartOutcome requestRestart(const std::string& pidFile);

}  // namespace lifecycle
