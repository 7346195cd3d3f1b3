#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <string>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/poll_loop.h"
#include "lifecycle/restart_channel.h"

namespace lifecycle {

/// Requests for a restart that report its outcome, which a signal cannot do. Clients connect to a Unix
/// socket next to the pid file (PIDFILE.sock, for the same user and root only), one connection per request,
/// and each is sent the outcome of the restart that it caused: see requestRestart().
///
/// The generation that serves listens: a new one replaces the old one's socket with its own. To be used on
/// the loop's thread only. Does nothing if the pid file's path is empty.
class RestartRequests {
public:
    /// `requested` is called with each request; it must lead to a call of begun(), moved() or refused().
    RestartRequests(PollLoop& loop, const std::string& pidFile, std::function<void(pid_t, uid_t)> requested);

    /// close()
    ~RestartRequests();

    RestartRequests(const RestartRequests&) = delete;
    RestartRequests& operator=(const RestartRequests&) = delete;

    /// Listens. Throws std::system_error.
    void open();

    /// The service shuts down: waiting clients get `failed`. Removes the socket if this process still listens
    /// there.
    void close() noexcept;

    /// Another process serves: clients whose restart has not begun are sent to that one.
    void moved();

    /// There are requests whose restart has not begun.
    bool areWaiting() const;

    /// A restart has begun: all requests so far wait for this generation.
    void begun(unsigned generation);

    /// That generation serves, and the one before it will not take over again.
    void served(unsigned generation, pid_t pid);
    /// That generation does not serve. `reason` is one sentence.
    void failed(unsigned generation, const std::string& reason);
    /// No restart begins for the requests so far.
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
    unsigned latest_ = 0;  // the generation that was started last
    bool isStarting_ = false;
    PollLoop::Timer retry_ = 0;
    Clients clients_;
};

/// The outcome of a restart.
struct RestartOutcome {
    enum class Kind {
        served,   ///< the new generation serves
        failed,   ///< it does not, or no restart was begun; the service is as it was
        nobody,   ///< there is no service to ask
    };
    Kind kind;
    std::string text;  ///< one sentence
};

/// Asks the service with this pid file for a restart. Blocks until the outcome is known, so also while the old
/// generation could still take over again. Never throws.
RestartOutcome requestRestart(const std::string& pidFile);

}  // namespace lifecycle
