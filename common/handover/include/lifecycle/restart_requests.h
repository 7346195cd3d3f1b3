#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <string>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/poll_loop.h"
#include "lifecycle/restart_channel.h"

namespace lifecycle {

/// Requests for a restart that get its outcome as the reply, which a signal cannot give. Clients connect to a Unix
/// socket next to the pid file (PIDFILE.sock, for the same user and root only), one connection per request: see
/// requestRestart().
///
/// The active generation listens: a new one replaces the old one's socket with its own. Used on the loop's thread
/// only. Does nothing if the pid file's path is empty.
class RestartRequests {
public:
    /// `requested` is called with each request; it must lead to a call of restartBegan(), redirect() or
    /// reject().
    RestartRequests(PollLoop& loop, const std::string& pidFile, std::function<void(pid_t, uid_t)> requested);

    /// close()
    ~RestartRequests();

    RestartRequests(const RestartRequests&) = delete;
    RestartRequests& operator=(const RestartRequests&) = delete;

    /// Listens. Throws std::system_error.
    void open();

    /// The service shuts down: waiting clients get `failed`. Removes the socket if it is still this process's.
    void close() noexcept;

    /// Another generation is active: clients whose restart has not begun are told to ask that one. Stops listening.
    void redirect();

    /// There are requests whose restart has not begun.
    bool hasPending() const;

    /// A restart has begun: all requests so far get the outcome of this generation.
    void restartBegan(unsigned generation);

    /// That generation serves, and the previous one will not take over again.
    void restartCommitted(unsigned generation, pid_t pid);
    /// That generation does not serve. `reason` is one sentence.
    void restartFailed(unsigned generation, const std::string& reason);
    /// No restart begins for the requests so far.
    void reject(const std::string& reason);

private:
    struct Client {
        RestartChannel channel;
        bool hasRequested = false;
        unsigned generation = 0;  ///< whose outcome it gets; 0: no restart has begun for it
    };
    using Clients = std::list<Client>;

    void onConnect();
    void onReadable(Clients::iterator client);
    void respond(bool hasRequested, unsigned generation, const RestartMessage& outcome);
    void remove(Clients::iterator client);
    void stopListening();

    PollLoop& loop_;
    const std::string path_;
    const std::function<void(pid_t, uid_t)> requested_;
    FileDescriptor socket_;
    std::string file_;     // device and inode of the socket's file
    unsigned latest_ = 0;  // the generation that was started last
    bool isStarting_ = false;
    PollLoop::Timer retry_ = 0;
    Clients clients_;
};

/// The outcome of a restart.
struct RestartOutcome {
    enum class Kind {
        served,  ///< the new generation serves
        failed,  ///< it does not, or no restart was begun; the old generation keeps serving
        noService,
    };
    Kind kind;
    std::string text;  ///< one sentence
};

/// Requests a restart of the service with this pid file. Blocks until the outcome is known, that is, also during the
/// rollback window. Never throws.
RestartOutcome requestRestart(const std::string& pidFile);

}  // namespace lifecycle
