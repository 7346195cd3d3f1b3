#include "lifecycle/restart_requests.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/directory_lock.h"

namespace lifecycle {
namespace {

constexpr Duration lockLimit = std::chrono::milliseconds(100);
constexpr std::size_t maxClients = 16;
/// At the limit of descriptors, or if nobody listens for a moment: try again after this time.
constexpr Duration retryAfter = std::chrono::milliseconds(100);
/// How often a client sends its request: it may reach a process that is just handing over.
constexpr int maxAttempts = 20;

std::string socketOf(const std::string& pidFile) {
    return pidFile.empty() ? "" : pidFile + ".sock";
}

/// Throws std::system_error if the path is too long.
sockaddr_un addressOf(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw std::system_error(ENAMETOOLONG, std::generic_category(), "cannot use " + path);
    }
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return address;
}

std::string fileAt(const std::string& path) {
    struct stat status{};
    return ::lstat(path.c_str(), &status) == 0 ? std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)
                                               : "";
}

/// In a message a line feed separates fields.
std::string onOneLine(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

}  // namespace

RestartRequests::RestartRequests(PollLoop& loop, const std::string& pidFile,
                                 std::function<void(pid_t, uid_t)> requested)
    : loop_(loop), path_(socketOf(pidFile)), requested_(std::move(requested)) {}

RestartRequests::~RestartRequests() {
    close();
}

void RestartRequests::close() noexcept try {
    if (socket_) {
        const detail::DirectoryLock lock(path_, lockLimit);
        if (lock && fileAt(path_) == file_) {
            ::unlink(path_.c_str());
        }
    }
    stopListening();
    while (!clients_.empty()) {
        clients_.front().channel.send({"failed", {{"text", "the service shuts down"}}});
        remove(clients_.begin());
    }
} catch (const std::exception&) {
    // Out of memory. If the socket stays, the next start replaces it.
}

void RestartRequests::stopListening() {
    if (socket_) {
        loop_.forget(socket_.get());
        loop_.cancel(std::exchange(retry_, 0));
        socket_.reset();
    }
}

void RestartRequests::open() {
    if (path_.empty() || socket_) {
        return;
    }
    const auto check = [this](bool done) {
        if (!done) {
            throw std::system_error(errno, std::generic_category(), "cannot listen on " + path_);
        }
    };
    // Renamed into place, so that at any moment some process listens at the path.
    const std::string temporary = path_ + "." + std::to_string(::getpid());
    const sockaddr_un address = addressOf(temporary);
    FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    check(static_cast<bool>(socket) && ::fchmod(socket.get(), S_IRUSR | S_IWUSR) == 0);  // becomes the path's mode
    const detail::DirectoryLock lock(path_, lockLimit);
    ::unlink(temporary.c_str());
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
          ::listen(socket.get(), static_cast<int>(maxClients)) == 0);
    std::string file = fileAt(temporary);
    if (::rename(temporary.c_str(), path_.c_str()) != 0) {
        const int error = errno;
        ::unlink(temporary.c_str());
        errno = error;
        check(false);
    }
    socket_ = std::move(socket);
    file_ = std::move(file);
    loop_.watch(socket_.get(), [this] { onConnect(); });
}

void RestartRequests::onConnect() {
    for (;;) {
        FileDescriptor connection(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!connection) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                loop_.forget(socket_.get());
                retry_ = loop_.in(retryAfter, [this] { loop_.watch(socket_.get(), [this] { onConnect(); }); });
            }
            return;
        }
        const auto client = clients_.insert(clients_.end(), {RestartChannel(std::move(connection))});
        if (clients_.size() > maxClients) {
            client->channel.send({"failed", {{"text", "too many restart requests are waiting"}}});
            clients_.erase(client);
            continue;
        }
        loop_.watch(client->channel.descriptor(), [this, client] { onReadable(client); });
    }
}

void RestartRequests::onReadable(Clients::iterator client) {
    const std::optional<RestartMessage> message = client->channel.receive();
    if (client->channel.ended()) {
        remove(client);
    } else if (message && message->word == "restart" && !std::exchange(client->hasRequested, true)) {
        client->channel.send({"taken"});
        ucred peer{};
        socklen_t size = sizeof peer;
        ::getsockopt(client->channel.descriptor(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
        // A restart that began after the request was first sent, to another process, satisfies it.
        const std::uint64_t from = message->number("from");
        if (from != 0 && isStarting_ && latest_ >= from) {
            client->generation = latest_;
        } else {
            requested_(peer.pid, peer.uid);
        }
    }
}

void RestartRequests::remove(Clients::iterator client) {
    loop_.forget(client->channel.descriptor());
    clients_.erase(client);
}

void RestartRequests::respond(bool hasRequested, unsigned generation, const RestartMessage& outcome) {
    for (auto client = clients_.begin(); client != clients_.end();) {
        const auto next = std::next(client);
        if (client->hasRequested == hasRequested && client->generation == generation) {
            client->channel.send(outcome);
            remove(client);
        }
        client = next;
    }
}

void RestartRequests::redirect() {
    stopListening();
    const RestartMessage again{"again", {{"from", std::to_string(latest_ + 1)}}};
    respond(false, 0, again);
    respond(true, 0, again);
}

bool RestartRequests::hasPending() const {
    return std::any_of(clients_.begin(), clients_.end(),
                       [](const Client& client) { return client.hasRequested && client.generation == 0; });
}

void RestartRequests::restartBegan(unsigned generation) {
    latest_ = generation;
    isStarting_ = true;
    for (Client& client : clients_) {
        if (client.hasRequested && client.generation == 0) {
            client.generation = generation;
        }
    }
}

void RestartRequests::restartCommitted(unsigned generation, pid_t pid) {
    isStarting_ = isStarting_ && generation != latest_;
    respond(true, generation,
           {"served", {{"text", "generation " + std::to_string(generation) + " serves: process " + std::to_string(pid)}}});
}

void RestartRequests::restartFailed(unsigned generation, const std::string& reason) {
    isStarting_ = isStarting_ && generation != latest_;
    respond(true, generation, {"failed", {{"text", onOneLine(reason)}}});
}

void RestartRequests::reject(const std::string& reason) {
    respond(true, 0, {"failed", {{"text", "restart refused: " + onOneLine(reason)}}});
}

// ---- the client ---------------------------------------------------------------------------------

RestartOutcome requestRestart(const std::string& pidFile) try {
    using Kind = RestartOutcome::Kind;
    const std::string path = socketOf(pidFile);
    const sockaddr_un address = addressOf(path);
    RestartMessage request{"restart"};
    for (int attempt = 1; attempt <= maxAttempts; ++attempt) {
        FileDescriptor socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
        if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            return {Kind::noService, "no service: " + path + ": " + std::generic_category().message(errno)};
        }
        RestartChannel service(std::move(socket));
        service.send(request);
        bool accepted = false;
        while (!service.ended()) {
            pollfd input{service.descriptor(), POLLIN, 0};
            ::poll(&input, 1, -1);
            const std::optional<RestartMessage> message = service.receive();
            if (!message) {
                continue;
            }
            if (message->word == "served") {
                return {Kind::served, std::string(message->text("text"))};
            }
            if (message->word == "failed") {
                return {Kind::failed, std::string(message->text("text"))};
            }
            accepted = message->word == "taken";
            if (message->word == "again") {
                request.fields = {{"from", std::string(message->text("from"))}};
                break;
            }
        }
        if (accepted) {
            return {Kind::failed, "the process that had accepted the request exited before the restart was over"};
        }
        std::this_thread::sleep_for(retryAfter / 2);  // until the next generation listens
    }
    return {Kind::failed, "no process accepted the request: the service keeps restarting"};
} catch (const std::exception& error) {
    return {RestartOutcome::Kind::noService, error.what()};
}

}  // namespace lifecycle
