#include "stops.h"

#include "catch.h"
#include "hello_server.h"

#include <memory>

namespace lifecycle::test {

using namespace std::chrono_literals;

Stops stopUnderLoad(const std::vector<std::string>& options, const LoadPlan& plan,
                    std::size_t answers, int times) {
    Stops all;
    std::vector<std::unique_ptr<LoadClients>> loads;
    for (int i = 0; i < times; ++i) {
        const HelloServer server(options);
        LoadPlan here = plan;
        here.port = server.port();
        loads.push_back(std::make_unique<LoadClients>(here));
        REQUIRE(eventually([&] { return loads.back()->answered() >= answers; }, 20s));
        server.stop();
        all.uncleanExits += server.end().code == 0 ? 0 : 1;
        all.served += static_cast<std::size_t>(server.summary().number("served"));
        all.refused += static_cast<std::size_t>(server.summary().number("refused"));
    }
    for (const auto& load : loads) { // now: the last refusals come when the clients try again
        all.clients.add(load->wait());
    }
    // One answer for each that the servers have counted, and the other way round.
    CHECK(all.refused == all.clients.answeredWith(503));
    CHECK(all.served == all.clients.answeredTotal() - all.clients.answeredWith(503));
    return all;
}

bool losesRequests(const std::vector<std::string>& options, const LoadPlan& plan,
                   std::size_t answers, int times) {
    for (int i = 0; i < times; ++i) {
        const HelloServer server(options);
        LoadPlan here = plan;
        here.port = server.port();
        LoadClients load(here);
        REQUIRE(eventually([&] { return load.answered() >= answers; }, 20s));
        server.stop();
        server.waitForExit(20s);
        load.stop();
        if (load.wait().lost > 0) {
            return true;
        }
    }
    return false;
}

} // namespace lifecycle::test
