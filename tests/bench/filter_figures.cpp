#include <memory>
#include <stdexcept>

#include "figures.h"
#include "hello_service.h"
#include "lifecycle/filter.h"
#include "lifecycle/http_server.h"
#include "wrk.h"

namespace lifecycle::bench {
namespace {

double requestsPerSecond(Poco::Net::HTTPRequestHandlerFactory::Ptr service, std::chrono::seconds duration) {
    HttpServer server(std::move(service), {});
    server.start();
    const WrkResult result = runWrk(server.address().port(), Connections::keptAlive, duration);
    server.shutdown(withTimeout(Context::background(), std::chrono::seconds(5)).context);
    if (!result.clean) {
        throw std::runtime_error("filters: not every answer was a 200");
    }
    return result.requestsPerSecond;
}

}  // namespace

Figure filterCost(const Effort& effort) {
    Figure figure{.name = "filters", .meaning = "requests per second behind timing and gate, against the bare handler"};
    if (!haveWrk()) {
        figure.notes.push_back("left out: there is no wrk (package wrk)");
        return figure;
    }
    Gate gate;
    Sample bare;
    Sample filtered;
    const std::chrono::seconds duration(effort.quick ? 1 : 3);
    for (int run = 0; run < effort.runs(10, 2); ++run) {
        Poco::Net::HTTPRequestHandlerFactory::Ptr hello(new stage::HelloService(Duration::zero(), Context::background()));
        bare.add(requestsPerSecond(hello, duration));
        filtered.add(requestsPerSecond(
            new FilteredService(hello, {std::make_shared<TimingFilter>(), std::make_shared<GateFilter>(gate)}),
            duration));
    }
    figure.lines = {medianLine("bare", "1/s", bare), medianLine("with filters", "1/s", filtered),
                    medianLine("ratio", "", filtered.dividedBy(bare), atLeast(0.97))};
    return figure;
}

}  // namespace lifecycle::bench
