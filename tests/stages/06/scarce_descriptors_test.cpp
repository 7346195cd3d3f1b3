#include "scarce_descriptors.h"
#include "stage.h"

using namespace lifecycle::test;

TEST_CASE("06: with any number of descriptors it either serves or says at the start how many it needs") {
    checkScarceDescriptors(stage("06_docker", {"--port", "0", "--work", "0s"}), "/incr");
}
