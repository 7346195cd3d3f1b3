#pragma once

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace lifecycle::detail {

/// Starts a thread that no signal is delivered to: the program that uses the library decides which
/// of its own threads takes signals. `name` has at most 15 characters and is what `top -H` shows.
template <typename Function>
std::thread startQuietThread(const char* name, Function function) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread thread(std::move(function));
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        ::pthread_setname_np(thread.native_handle(), name);
        return thread;
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
}

}  // namespace lifecycle::detail
