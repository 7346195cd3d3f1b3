#include "catch.h"
#include "job_notice.h"

using lifecycle::readme::isJobNotice;

TEST_CASE("readme: what the shell says about jobs is known from output") {
    for (const char* line : {"[1] 4711", "[12]+  Done                    sleep 1",
                             "[1]-  Exit 56                 curl", "[3]   Terminated   sleep",
                             "[1]+  Stopped                 cat"}) {
        CAPTURE(line);
        CHECK(isJobNotice(line));
    }
    for (const char* line : {"", "[1]", "[1] 4711 more", "[x] 1", "[1] Done", "x [1] 4711"}) {
        CAPTURE(line);
        CHECK_FALSE(isJobNotice(line));
    }
}
