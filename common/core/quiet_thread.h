#pragma once

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace lifecycle::detail {

/// All signals except those that a fault raises in the faulting thread, and SIGPROF, which a profiler sends to the
/// running thread: if they were blocked, faults would bypass the program's crash handler, and profiles have holes.
inline sigset_t signalsForOthers() {
    sigset_t set;
    sigfillset(&set);
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF}) {
        sigdelset(&set, number);
    }
    return set;
}

/// This thread was started by startQuietThread: SIGPIPE and SIGXFSZ are blocked.
inline thread_local bool isQuietThread = false;

/// Starts a thread that takes no signal meant for the process: the program that uses the library decides which
/// of its own threads takes those. `name` has at most 15 characters and is what `top -H` shows.
template <typename Function>
std::thread startQuietThread(const char* name, Function function) {
    const sigset_t others = signalsForOthers();
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &others, &before);
    try {
        std::thread thread([name, function = std::move(function)]() mutable {
            ::pthread_setname_np(::pthread_self(), name);  // by the thread itself this needs no descriptor
            isQuietThread = true;
            function();
        });
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return thread;
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
}

}  // namespace lifecycle::detail
