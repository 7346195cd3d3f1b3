#include "http_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace lifecycle::test {

namespace {

std::error_code systemError(int number) {
    return {number, std::generic_category()};
}

/// Blocks until the socket is ready for `events`. False once the deadline has passed.
bool waitFor(int fd, short events, Deadline deadline) {
    pollfd polled{fd, events, 0};
    int ready = 0;
    do {
        ready = ::poll(&polled, 1, deadline.pollTimeout());
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

int connectNow(int fd, int port, Deadline deadline) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    if (!waitFor(fd, POLLOUT, deadline)) {
        return ETIMEDOUT;
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

} // namespace

std::string
httpRequest(std::string_view method, std::string_view target,
            std::initializer_list<std::pair<std::string_view, std::string_view>> headers,
            std::string_view body) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
    for (const auto& [name, value] : headers) {
        text.append(name).append(": ").append(value).append("\r\n");
    }
    if (!body.empty()) {
        text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    }
    return text.append("\r\n").append(body);
}

Connection Connection::to(int port, Deadline deadline, const ConnectOptions& options) {
    Connection connection;
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) {
        connection.error_ = systemError(errno);
        return connection;
    }
    if (options.receiveBuffer) {
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &*options.receiveBuffer, sizeof(int));
    }
    const int no_delay = 1; // what is sent byte by byte shall arrive byte by byte
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);

    if (const int error = connectNow(socket.get(), port, deadline); error != 0) {
        connection.error_ = systemError(error);
    } else {
        connection.socket_ = std::move(socket);
    }
    return connection;
}

std::error_code Connection::send(std::string_view bytes, Deadline deadline) {
    if (!socket_) {
        return error_ ? error_ : error_ = systemError(ENOTCONN);
    }
    while (!bytes.empty()) {
        const auto count = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            if (!waitFor(socket_.get(), POLLOUT, deadline)) {
                return error_ = systemError(ETIMEDOUT);
            }
        } else if (errno != EINTR) {
            return error_ = systemError(errno);
        }
    }
    return {};
}

/// Blocks until there is something new in the buffer, or there will not be.
Connection::Fill Connection::fill(Deadline deadline) {
    if (!socket_) {
        return Fill::end;
    }
    std::array<char, 64 * 1024> bytes;
    while (true) {
        const auto count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
        if (count > 0) {
            buffer_.append(bytes.data(), static_cast<std::size_t>(count));
            return Fill::bytes;
        }
        if (count == 0) {
            return Fill::end;
        }
        if (errno == EAGAIN) {
            if (!waitFor(socket_.get(), POLLIN, deadline)) {
                return Fill::timeout;
            }
        } else if (errno != EINTR) {
            return Fill::reset;
        }
    }
}

Response Connection::readResponse(Deadline deadline, bool hasBody, std::size_t maxKept) {
    ResponseParser parser(hasBody, maxKept);
    while (!parser.feed(buffer_, Clock::now())) {
        const Fill filled = fill(deadline);
        if (filled == Fill::timeout) {
            break; // the outcome of an unfinished response is timeout
        }
        if (filled != Fill::bytes) {
            parser.end(filled == Fill::reset, Clock::now());
            break;
        }
    }
    return parser.response();
}

ReadResult Connection::readBytes(std::size_t count, Deadline deadline) {
    ReadResult result;
    Fill filled = Fill::bytes;
    while (buffer_.size() < count && filled == Fill::bytes) {
        filled = fill(deadline);
    }
    result.finishedAt = Clock::now();
    result.bytes = buffer_.substr(0, count);
    buffer_.erase(0, count);
    switch (filled) {
    case Fill::bytes: result.outcome = Outcome::complete; break;
    case Fill::end:
        result.outcome = result.bytes.empty() ? Outcome::closed : Outcome::truncated;
        break;
    case Fill::reset: result.outcome = Outcome::reset; break;
    case Fill::timeout: result.outcome = Outcome::timeout; break;
    }
    return result;
}

bool Connection::closedByServer() const {
    pollfd polled{socket_.get(), POLLRDHUP, 0};
    return !socket_ || ::poll(&polled, 1, 0) != 0;
}

Response Connection::peek() const {
    std::string bytes(64 * 1024, '\0');
    const ssize_t size = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    bytes.insert(0, buffer_);
    ResponseParser parser;
    const auto now = Clock::now();
    if (!parser.feed(bytes, now) && closedByServer()) {
        parser.end(false, now); // which is the end of some answers, and not of others
    }
    return parser.response();
}

void Connection::halfClose() {
    ::shutdown(socket_.get(), SHUT_WR);
}

void Connection::close() {
    socket_.reset();
}

void Connection::reset() {
    const linger atOnce{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
    close();
}

int Connection::localPort() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return 0;
    }
    return ntohs(address.sin_port);
}

Response get(int port, std::string_view target, Deadline deadline) {
    Connection connection = Connection::to(port, deadline);
    Response response;
    if (connection.error()) {
        response.outcome = connection.error() == std::errc::timed_out ? Outcome::timeout
                                                                      : Outcome::refused;
        response.finishedAt = Clock::now();
        return response;
    }
    connection.send(httpRequest("GET", target, {{"Connection", "close"}}), deadline);
    return connection.readResponse(deadline);
}

} // namespace lifecycle::test
