#pragma once

#include "http/loop/register.h"
#include "lifecycle/file_descriptor.h"

namespace lifecycle::http {

/// The connections that wait for bytes of their clients, in an epoll set on which the workers wait themselves: a request
/// reaches its thread without a detour. An event is given to one thread, once, which owns the connection until it arms
/// it again.
///
/// All functions may be called from every thread.
///
/// Source: EPOLLONESHOT in epoll_ctl(2).
class ReadySet {
public:
    /// Throws std::system_error.
    ReadySet();

    /// Waits for the first bytes of a connection. False if the kernel has no memory for that.
    [[nodiscard]] bool add(Admitted& connection);

    /// Waits for further ones. From here on another thread may own the connection.
    [[nodiscard]] bool arm(Admitted& connection);

    /// Takes a connection that is ready: has bytes, or has ended. Null after `milliseconds` (-1: never), and at once
    /// after wakeAll().
    Admitted* wait(int milliseconds);

    bool hasReady() const;

    /// Readable while connections are ready.
    int descriptor() const { return epoll_.get(); }

    /// From now on nobody waits.
    void wakeAll();
    /// Ends that: wait(0) takes what is left.
    void endWakeAll();

private:
    bool watch(int operation, Admitted& connection);
    void setWaking(bool waking);

    const FileDescriptor epoll_;
    const FileDescriptor wake_;  // eventfd, always readable; in the set while all are to wake up
};

}  // namespace lifecycle::http
