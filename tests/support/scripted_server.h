#pragma once

#include "lifecycle/file_descriptor.h"

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace lifecycle::test {

/// A server that does to each connection what a test tells it to: the counterpart with which the
/// HTTP client is tested. It knows no HTTP beyond the end of a request's header.
class ScriptedServer {
public:
    /// The server's side of one connection. Closed at the end of the script.
    class Peer {
    public:
        explicit Peer(FileDescriptor socket) : socket_(std::move(socket)) {}

        /// Blocks until a whole header is there and takes it. Empty at end of file.
        std::string readRequest();
        /// Blocks for one byte; false at end of file or reset.
        bool readByte();
        void write(std::string_view bytes);
        /// Closes with RST instead of FIN.
        void reset();

    private:
        FileDescriptor socket_;
        std::string buffer_;
    };

    using Script = std::function<void(Peer&)>;

    /// Listens on a free port of 127.0.0.1; runs `script` for each connection, in its own thread.
    explicit ScriptedServer(Script script);
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;
    ~ScriptedServer();

    int port() const { return port_; }

    /// Closes the listening socket: from now on connects are refused.
    void stopListening();

private:
    void acceptUntilStopped();

    const Script script_;
    FileDescriptor listener_;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    std::vector<std::thread> connections_;
    std::thread acceptor_;
};

} // namespace lifecycle::test
