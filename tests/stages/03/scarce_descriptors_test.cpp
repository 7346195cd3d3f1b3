#include "scarce_descriptors.h"
#include "stage.h"

using namespace lifecycle::test;

TEST_CASE("03: with any number of descriptors it either serves or says at the start how many it needs") {
    checkScarceDescriptors(stage("03_http_shutdown", {"--port", "0", "--timeout", "5s"}), "/hello?work=0ms");
}
