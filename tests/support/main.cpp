// The main() of every test program, for Catch2 2.13 and 3: runs the tests, and notes whether the
// running one has failed (see test_outcome.h).

#define CATCH_CONFIG_RUNNER // Catch2 2 compiles its implementation here; Catch2 3 ignores this.
#include "catch.h"

#include "skip.h"
#include "test_outcome.h"

namespace {

#if LIFECYCLE_CATCH2_MAJOR == 2
using ListenerBase = Catch::TestEventListenerBase;
using AssertionEndedResult = bool;
#else
using ListenerBase = Catch::EventListenerBase;
using AssertionEndedResult = void;
#endif

class OutcomeListener : public ListenerBase {
public:
    using ListenerBase::ListenerBase;

    void testCaseStarting(const Catch::TestCaseInfo&) override {
        lifecycle::test::setCurrentTestHasFailed(false);
    }

    AssertionEndedResult assertionEnded(const Catch::AssertionStats& stats) override {
        if (!stats.assertionResult.isOk()) {
            lifecycle::test::setCurrentTestHasFailed(true);
        }
        return AssertionEndedResult(false);
    }
};

CATCH_REGISTER_LISTENER(OutcomeListener)

} // namespace

int main(int argc, char** argv) {
    constexpr int skipReturnCode = 77; // see test_properties.cmake.in
    const int failures = Catch::Session().run(argc, argv);
    return failures == 0 && lifecycle::test::isSkipped() ? skipReturnCode : failures;
}
