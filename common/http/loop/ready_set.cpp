#include "http/loop/ready_set.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace lifecycle::http {
namespace {

int checked(int result, const char* what) {
    if (result == -1) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

}  // namespace

ReadySet::ReadySet()
    : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(checked(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")) {
    epoll_event event{};
    checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event), "epoll_ctl");
}

bool ReadySet::add(Admitted& connection) {
    return watch(EPOLL_CTL_ADD, connection);
}

bool ReadySet::arm(Admitted& connection) {
    return watch(EPOLL_CTL_MOD, connection);
}

bool ReadySet::watch(int operation, Admitted& connection) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.ptr = &connection;
    const auto lock = connection.lockForNextOwner();
    return ::epoll_ctl(epoll_.get(), operation, connection.socket().sockfd(), &event) == 0;
}

Admitted* ReadySet::wait(int milliseconds) {
    epoll_event event{};
    return ::epoll_wait(epoll_.get(), &event, 1, milliseconds) == 1 ? static_cast<Admitted*>(event.data.ptr) : nullptr;
}

bool ReadySet::hasReady() const {
    pollfd entry{epoll_.get(), POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

void ReadySet::wakeAll() {
    setWaking(true);
}

void ReadySet::endWakeAll() {
    setWaking(false);
}

void ReadySet::setWaking(bool waking) {
    epoll_event event{};
    event.events = waking ? EPOLLIN : 0U;
    event.data.ptr = nullptr;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, wake_.get(), &event);
}

}  // namespace lifecycle::http
