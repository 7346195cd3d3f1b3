#include "test_outcome.h"

#include <atomic>

namespace lifecycle::test {

namespace {
std::atomic<bool> hasFailed{false};
}

bool currentTestHasFailed() {
    return hasFailed;
}

void setCurrentTestHasFailed(bool failed) {
    hasFailed = failed;
}

} // namespace lifecycle::test
