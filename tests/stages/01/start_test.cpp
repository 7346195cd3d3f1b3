#include "catch.h"
#include "signals_check.h"
#include "stage.h"

using namespace lifecycle::test;

TEST_CASE("01: a signal during the first 50 ms never hangs it") {
    checkSignalWhileStarting(stage("01_signals"));
}
