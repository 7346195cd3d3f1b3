#include "catch.h"
#include "stops.h"
#include "time_limit.h"

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

constexpr int stops = rounds(20);

LoadPlan clients(int count, bool keepAlive, const std::string& target) {
    LoadPlan plan;
    plan.clients = count;
    plan.keepAlive = keepAlive;
    plan.target = target;
    return plan;
}

void checkNothingLost(const Stops& result, std::size_t count) {
    CAPTURE(result.clients);
    CHECK(result.clients.lost == 0);
    CHECK(result.clients.timedOut == 0);
    CHECK(result.clients.failedConnects == 0);
    CHECK(result.clients.refused == count); // every client came to its end by a refusal
    CHECK(result.clients.answeredTotal() == result.clients.answeredWith(200));
    CHECK(result.uncleanExits == 0);
}

} // namespace

TEST_CASE("03: busy keep-alive clients lose nothing over 20 stops and do with plain Poco") {
    const LoadPlan plan = clients(32, true, "/hello?work=1ms");
    checkNothingLost(stopUnderLoad({}, plan, 200, stops), 32 * stops);
    CHECK(losesRequests({"--strategy=stopall"}, plan, 200, stops));
}

TEST_CASE("03: clients with pauses between their requests lose nothing over 20 stops and do with plain Poco") {
    LoadPlan plan = clients(32, true, "/hello?work=0s");
    plan.thinkTime = 10ms;
    checkNothingLost(stopUnderLoad({}, plan, 100, stops), 32 * stops);
    CHECK(losesRequests({"--strategy=stopall"}, plan, 100, stops));
}

TEST_CASE("03: busy clients of two threads lose nothing over 20 stops and do with plain Poco") {
    const LoadPlan plan = clients(32, true, "/hello?work=1ms");
    checkNothingLost(stopUnderLoad({"--threads=2"}, plan, 200, stops), 32 * stops);
    CHECK(losesRequests({"--strategy=stopall", "--threads=2"}, plan, 200, stops));
}

TEST_CASE("03: one connection per request loses nothing over 20 stops and does with plain Poco") {
    const LoadPlan plan = clients(50, false, "/hello?work=1ms");
    checkNothingLost(stopUnderLoad({}, plan, 200, stops), 50 * stops);
    CHECK(losesRequests({"--strategy=stopall"}, plan, 200, stops));
    CHECK(losesRequests({"--strategy=stop"}, plan, 200, stops));
}

TEST_CASE("03: a lame duck loses nothing either") {
    const LoadPlan plan = clients(32, true, "/hello?work=1ms");
    checkNothingLost(stopUnderLoad({"--lame-duck=100ms"}, plan, 200, 5), 32 * 5);
}
