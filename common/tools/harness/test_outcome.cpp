#include "test_outcome.h"

#include <atomic>

namespace lifecycle::test {

namespace {
std::atomic<bool> current_test_has_failed{false};
}

bool currentTestHasFailed() {
    return current_test_has_failed;
}

void setCurrentTestHasFailed(bool failed) {
    current_test_has_failed = failed;
}

} // namespace lifecycle::test
