#include "deadline.h"

#include <thread>

namespace lifecycle::test {

using namespace std::chrono_literals;

int Deadline::pollTimeout() const {
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(remaining()).count());
}

bool eventually(const std::function<bool()>& predicate, Deadline deadline) {
    while (!predicate()) {
        if (deadline.passed()) {
            return predicate();
        }
        std::this_thread::sleep_for(std::min<Clock::duration>(1ms, deadline.remaining()));
    }
    return true;
}

} // namespace lifecycle::test
