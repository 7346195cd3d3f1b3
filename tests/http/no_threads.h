#pragma once

#include <pthread.h>

#include <cstddef>

namespace lifecycle::test {

/// While it lives no thread can be started, as where a limit of processes is reached: new threads of this
/// process would have a stack that is larger than all memory.
class NoThreads {
public:
    NoThreads() {
        pthread_attr_t attributes;
        ::pthread_getattr_default_np(&attributes);
        ::pthread_attr_getstacksize(&attributes, &before_);
        ::pthread_attr_destroy(&attributes);
        set(std::size_t{1} << 60);
    }
    ~NoThreads() { set(before_); }

    NoThreads(const NoThreads&) = delete;
    NoThreads& operator=(const NoThreads&) = delete;

private:
    static void set(std::size_t stack) {
        pthread_attr_t attributes;
        ::pthread_getattr_default_np(&attributes);
        ::pthread_attr_setstacksize(&attributes, stack);
        ::pthread_setattr_default_np(&attributes);
        ::pthread_attr_destroy(&attributes);
    }

    std::size_t before_ = 0;
};

} // namespace lifecycle::test
