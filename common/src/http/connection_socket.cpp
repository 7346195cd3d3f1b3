#include "http/connection_socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <Poco/Exception.h>

namespace lifecycle::http {
namespace {

Duration fromPoco(const Poco::Timespan& span) {
    return std::chrono::microseconds(span.totalMicroseconds());
}

Poco::Timespan toPoco(Duration duration) {
    return Poco::Timespan(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
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
    const std::lock_guard lock(openMutex_);
}

void ConnectionSocket::setPatience(Patience patience) {
    patience_ = patience;
    gaveUp_ = false;
}

bool ConnectionSocket::hasInput() const {
    char byte;
    return ::recv(sockfd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void ConnectionSocket::cut() {
    const std::lock_guard lock(openMutex_);
    if (initialized()) {
        ::shutdown(sockfd(), SHUT_RDWR);
    }
}

void ConnectionSocket::reset() {
    const std::lock_guard lock(openMutex_);
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
    const std::lock_guard lock(openMutex_);
    StreamSocketImpl::close();
}

bool ConnectionSocket::poll(const Poco::Timespan& timeout, int mode) {
    short events = 0;
    if (mode & SELECT_READ) {
        events |= POLLIN;
    }
    if (mode & SELECT_WRITE) {
        events |= POLLOUT;
    }
    return pollOne(sockfd(), events, fromPoco(timeout));
}

bool ConnectionSocket::waitFor(short event, Duration limit) {
    if (event == POLLIN && receiveEnd_) {
        limit = std::min<Duration>(limit, *receiveEnd_ - Clock::now());
    }
    return limit > Duration::zero() && pollOne(sockfd(), event, limit);
}

int ConnectionSocket::receiveBytes(void* buffer, int length, int flags) {
    // With little patience the kernel does the waiting, which spares a poll for each request.
    const int wait = patience_ == Patience::little ? 0 : MSG_DONTWAIT;
    for (;;) {
        const ssize_t received = ::recv(sockfd(), buffer, static_cast<std::size_t>(length), flags | wait);
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
        if (patience_ != Patience::full) {
            gaveUp_ = true;
            return 0;
        }
        if (!waitFor(POLLIN, receiveTimeout_)) {
            throw Poco::TimeoutException("the client sent nothing in time");
        }
    }
}

int ConnectionSocket::sendBytes(const void* buffer, int length, int flags) {
    const char* next = static_cast<const char*>(buffer);
    int rest = length;
    while (rest > 0) {
        const ssize_t sent = ::send(sockfd(), next, static_cast<std::size_t>(rest),
                                    flags | MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            next += sent;
            rest -= static_cast<int>(sent);
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        if (errno != EAGAIN) {
            error(errno);
        }
        if (!waitFor(POLLOUT, sendTimeout_)) {
            throw Poco::TimeoutException("the client read nothing in time");
        }
    }
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
