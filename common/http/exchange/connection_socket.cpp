#include "http/exchange/connection_socket.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/Net/NetException.h>

#include "http/framing/request_head.h"

namespace lifecycle::http {
namespace {

/// What Poco's request reads before it gets the fields of the real one.
constexpr std::string_view placeholder = "GET / HTTP/1.1\r\n\r\n";

Duration fromPoco(const Poco::Timespan& span) {
    return std::chrono::microseconds(span.totalMicroseconds());
}

Poco::Timespan toPoco(Duration duration) {
    return Poco::Timespan(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

/// To Poco no time is no limit.
Duration orForEver(Duration timeout) {
    return timeout > Duration::zero() ? timeout : Duration::max();
}

/// poll(2) on one descriptor, going on after interruptions. True if any event is there.
bool pollOne(int descriptor, short events, Duration limit) {
    const TimePoint end = Clock::now() + std::min<Duration>(limit, std::chrono::hours(24));
    pollfd entry{descriptor, events, 0};
    for (;;) {
        const auto rest = std::max<Duration>(Duration::zero(), end - Clock::now());
        const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(rest).count();
        const int ready = ::poll(&entry, 1, static_cast<int>(milliseconds));
        if (ready >= 0 || errno != EINTR) {
            return ready > 0;
        }
    }
}

}  // namespace

ConnectionSocket::ConnectionSocket(int descriptor, Poco::Net::SocketAddress peer, Duration timeout)
    : StreamSocketImpl(descriptor),
      peer_(std::move(peer)),
      receiveTimeout_(timeout),
      sendTimeout_(timeout) {}

ConnectionSocket::~ConnectionSocket() {
    // The last to close() it may have been another thread. Poco's count of references puts that
    // before this, but ThreadSanitizer does not see into Poco's library; a mutex it sees.
    const std::lock_guard lock(mutex_);
}

bool ConnectionSocket::hasInput() {
    const std::lock_guard lock(mutex_);
    return initialized() && inKernel();
}

bool ConnectionSocket::inKernel() const {
    char byte;
    return ::recv(sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

std::ptrdiff_t ConnectionSocket::bytesThere() const {
    int inKernel = 0;
    ::ioctl(sockfd(), FIONREAD, &inKernel);
    return inKernel + static_cast<std::ptrdiff_t>(held_.size());
}

Arrival ConnectionSocket::receiveHead() noexcept try {
    std::array<char, 4096> bytes;
    std::size_t received = 0;
    // Under the lock throughout: to requestIsWaiting(), bytes are in the kernel or in held_.
    const std::lock_guard lock(mutex_);
    for (;;) {
        if (!held_.empty()) {
            const Arrival arrival = parseHeld(received);
            if (arrival != Arrival::part && arrival != Arrival::nothing) {
                return arrival;
            }
        }
        const ssize_t count = ::recv(sockfd(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count > 0) {
            held_.append({bytes.data(), static_cast<std::size_t>(count)});
            received += static_cast<std::size_t>(count);
        } else if (count < 0 && errno == EAGAIN) {
            return held_.empty() ? Arrival::nothing : Arrival::part;
        } else if (count == 0 || errno != EINTR) {
            return Arrival::end;
        }
    }
} catch (const std::bad_alloc&) {
    return Arrival::noMemory;
} catch (const std::exception&) {
    return Arrival::end;
}

/// `received`: what this call of receiveHead() has received, less what was to be skipped.
Arrival ConnectionSocket::parseHeld(std::size_t& received) {
    constexpr std::size_t maxEmptyLines = 64 * 1024;
    const std::size_t skipped = held_.drop(std::min<std::uint64_t>(skip_, held_.size()));
    skip_ -= skipped;
    received -= std::min(received, skipped);
    switch (held_.parseHead()) {
        case RequestHead::State::complete:
            return Arrival::whole;
        case RequestHead::State::malformed:
            return Arrival::malformed;
        case RequestHead::State::incomplete:
            break;
    }
    return !held_.empty()            ? Arrival::part
           : received > maxEmptyLines ? Arrival::malformed
                                      : Arrival::nothing;
}

void ConnectionSocket::endHead() {
    const std::lock_guard lock(mutex_);
    placeholderRead_ = 0;
    held_.endHead();
}

void ConnectionSocket::skip(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    skip_ = count;
}

void ConnectionSocket::unreceive(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    held_.putBack(bytes);
}

bool ConnectionSocket::requestIsWaiting() {
    const std::lock_guard lock(mutex_);
    if (!initialized() || (held_.empty() && !inKernel())) {
        return false;
    }
    std::array<char, 16 * 1024> bytes;
    const ssize_t size = ::recv(sockfd(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    std::string all(held_.unread());
    all.append(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    all.erase(0, std::min<std::uint64_t>(skip_, all.size()));
    return headEnd(all) != std::string::npos;
}

void ConnectionSocket::endReceiving() {
    const std::lock_guard lock(mutex_);
    if (initialized()) {
        ::shutdown(sockfd(), SHUT_RD);
    }
}

void ConnectionSocket::cut() {
    const std::lock_guard lock(mutex_);
    if (initialized()) {
        ::shutdown(sockfd(), SHUT_RDWR);
    }
}

void ConnectionSocket::reset() {
    const std::lock_guard lock(mutex_);
    if (initialized()) {
        // Connecting to no address dissolves the connection, connect(2); but not that of a Unix socket.
        sockaddr none{};
        none.sa_family = AF_UNSPEC;
        if (::connect(sockfd(), &none, sizeof none) != 0) {
            ::shutdown(sockfd(), SHUT_RDWR);
        }
    }
}

void ConnectionSocket::close() {
    const std::lock_guard lock(mutex_);
    StreamSocketImpl::close();
}

bool ConnectionSocket::poll(const Poco::Timespan& timeout, int mode) {
    short events = 0;
    if (mode & SELECT_READ) {
        if (holdsBytes()) {
            return true;
        }
        events |= POLLIN;
    }
    if (mode & SELECT_WRITE) {
        events |= POLLOUT;
    }
    return pollOne(sockfd(), events, fromPoco(timeout));
}

int ConnectionSocket::receiveBytes(void* buffer, int length, int flags) {
    if (held_.inHead()) {
        const std::string_view rest = placeholder.substr(placeholderRead_, static_cast<std::size_t>(length));
        std::copy(rest.begin(), rest.end(), static_cast<char*>(buffer));
        placeholderRead_ += rest.size();
        return static_cast<int>(rest.size());
    }
    {
        const std::lock_guard lock(mutex_);
        if (!held_.empty()) {
            return static_cast<int>(held_.read(static_cast<char*>(buffer), static_cast<std::size_t>(length),
                                               (flags & MSG_PEEK) != 0));
        }
    }
    for (;;) {
        const ssize_t received = ::recv(sockfd(), buffer, static_cast<std::size_t>(length), flags | MSG_DONTWAIT);
        if (received >= 0) {
            endOfStream_ = endOfStream_ || (received == 0 && length > 0);
            return static_cast<int>(received);
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            error(errno);
        }
        if (!pollOne(sockfd(), POLLIN, orForEver(receiveTimeout_))) {
            throw Poco::TimeoutException("the client sent nothing in time");
        }
    }
}

int ConnectionSocket::sendBytes(const void* buffer, int length, int flags) {
    if (std::exchange(sendFailed_, true)) {
        throw Poco::Net::ConnectionAbortedException("an earlier part could not be sent");
    }
    const char* next = static_cast<const char*>(buffer);
    int rest = length;
    while (rest > 0) {
        const ssize_t sent = ::send(sockfd(), next, static_cast<std::size_t>(rest),
                                    flags | MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            next += sent;
            rest -= static_cast<int>(sent);
            sent_ += static_cast<std::uint64_t>(sent);
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            error(errno);
        }
        if (!pollOne(sockfd(), POLLOUT, orForEver(sendTimeout_))) {
            throw Poco::TimeoutException("the client read nothing in time");
        }
    }
    sendFailed_ = false;
    return length;
}

void ConnectionSocket::setReceiveTimeout(const Poco::Timespan& timeout) {
    receiveTimeout_ = fromPoco(timeout);
}

Poco::Timespan ConnectionSocket::getReceiveTimeout() {
    return toPoco(receiveTimeout_);
}

void ConnectionSocket::setSendTimeout(const Poco::Timespan& timeout) {
    sendTimeout_ = fromPoco(timeout);
}

Poco::Timespan ConnectionSocket::getSendTimeout() {
    return toPoco(sendTimeout_);
}

Poco::Net::SocketAddress ConnectionSocket::address() {
    if (!local_) {
        local_ = StreamSocketImpl::address();
    }
    return *local_;
}

}  // namespace lifecycle::http
