// Stage 04: a service that shuts down in steps, and shows what it is waiting for. The steps are hooks:
// readiness off, lame duck, listener closed, requests in flight finished, orders stored, servers shut
// down, report. Each has its time limit, and none can hold up the others.

#include <unistd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "admin/admin_service.h"
#include "admin/status_signal.h"
#include "admin/status_text.h"
#include "hello_service.h"
#include "lifecycle/filter.h"
#include "lifecycle/gate.h"
#include "lifecycle/hooks.h"
#include "lifecycle/http_server.h"
#include "lifecycle/lame_duck.h"
#include "lifecycle/run_service.h"
#include "lifecycle/shutdown_all.h"
#include "lifecycle/shutdown_outcome.h"
#include "orders/order_service.h"
#include "orders/unstored_orders.h"
#include "settings.h"
#include "steps/shutdown_plan.h"
#include "steps/shutdown_steps.h"

using namespace std::chrono_literals;
using namespace stage;
using lifecycle::addSaturated;
using lifecycle::Context;
using lifecycle::Duration;
using lifecycle::HttpServer;
using lifecycle::ShutdownResult;

namespace {

constexpr Duration margin = 1s;  // for a hook with a deadline of its own: time to report after it

/// The step `in-flight`. Throws if requests were cut.
void finishRequests(HttpServer& server, lifecycle::Gate& admission, const Context& deadline) {
    const ShutdownResult result = server.shutdown(deadline);
    admission.close();  // After the last queued request; closed earlier, it would reject them.
    if (!result.clean()) {
        throw std::runtime_error(std::to_string(result.cut) + (result.cut == 1 ? " request was" : " requests were") +
                                 " cut");
    }
    admission.wait(deadline);
}

int serve(const Settings& settings, lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events) {
    const Context& stop = signals.context();

    // 1. The store of the orders. A forced exit reports what it loses.
    const auto store = std::make_shared<OrderStore>(
        OrderStore::Options{.path = settings.database, .queue = settings.orderQueue}, events);
    signals.onForced([store, &events] { abandonUnstored(*store, events, 20ms); });

    // 2. The public server: filters around the handlers, which know nothing of them.
    lifecycle::Gate admission;
    const auto timing = std::make_shared<lifecycle::TimingFilter>();
    const auto admitting = std::make_shared<lifecycle::GateFilter>(admission);
    Poco::Net::HTTPRequestHandlerFactory::Ptr service(new OrderService(*store, new HelloService(settings.work, stop)));
    HttpServer server(new lifecycle::FilteredService(service, {timing, admitting}),
                      {.address = {settings.address, settings.port},
                       .threads = settings.threads,
                       .queue = settings.queue,
                       .keepAliveGrace = settings.keepAliveGrace,
                       .keepAliveTimeout = settings.keepAliveTimeout,
                       .events = &events});

    // 3. The admin server, which shows both.
    lifecycle::Hooks hooks(&events);
    LifecycleStatus status({hooks, server, *timing, *store});
    HttpServer admin(new AdminService(status, stop),
                     {.address = {settings.adminAddress, settings.adminPort}, .keepAliveGrace = 10ms});

    // 4. The steps of the shutdown, in their order.
    const auto add = [&](ShutdownStep step, Duration timeout, Experiments::Run run) {
        const std::string name(stepNames[step]);
        hooks.add({name, step, timeout, settings.experiments.applied(name, std::move(run))});
    };
    add(readiness, settings.hookTimeout, [&](const Context&) {
        server.announceShutdown();
        admin.announceShutdown();
        events.emit("readiness.off");
    });
    add(lameDuck, addSaturated(settings.lameDuck, margin), [&](const Context& context) {
        lifecycle::serveLameDuck(settings.lameDuck, context, events);
    });
    add(listener, settings.hookTimeout, [&](const Context&) { server.closeListener(); });
    add(inFlight, addSaturated(settings.timeout, margin), [&](const Context& context) {
        finishRequests(server, admission, withTimeout(context, settings.timeout).context);
    });
    add(orders, settings.hookTimeout, [&](const Context& context) { store->finish(context); });
    add(servers, settings.hookTimeout, [&](const Context& context) {
        // One server is left; more of them would be shut down concurrently.
        shutdownAll({{"public", [&](const Context& limit) { server.shutdown(limit); }}}, context);
    });
    add(report, settings.hookTimeout, [&](const Context&) { logUsed(hooks, events); });

    // 5. Start, and serve until the first signal.
    server.start();
    admin.start();
    const StatusSignal statusSignal([&] { toEvents(status.snapshot(), events); });
    logPlan(hooks, settings.totalTimeout, settings.grace, events);
    events.emit("ready",
                {{"port", server.address().port()}, {"admin_port", admin.address().port()}, {"pid", ::getpid()}});
    stop.wait();

    // 6. Run the steps.
    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    const auto [total, cancel] = withTimeout(Context::background(), settings.totalTimeout);
    events.emit("shutdown.begin", {{"cause", stop.cause()}, {"deadline", settings.totalTimeout}});
    status.begin(stop.cause(), total);
    const lifecycle::HooksReport steps = hooks.run(total);

    // 7. Cut what no step could finish, and count it: by a deadline that has passed already.
    const ShutdownResult requests =
        server.shutdown(withDeadline(Context::background(), begin, "the hooks are over").context);
    const bool stored = allStored(*store);
    const std::uint64_t ordersLost = stored ? 0 : abandonUnstored(*store, events, 1s);
    events.emit("shutdown.end", {{"served", requests.served}, {"refused", requests.refused},
                                 {"cut", requests.cut}, {"orders_refused", store->counters().refused},
                                 {"took", lifecycle::Clock::now() - begin}});

    // 8. The admin server shuts down last, so that it shows how the shutdown went. Report that to the parent process.
    lifecycle::ShutdownOutcome outcome{.workCut = ordersLost > 0 || requests.cut > 0,
                                       .hookFailed = !steps.allOk(),
                                       .stillRunning = !stored || steps.anyAbandoned()};
    status.end(outcome.exitCode());
    outcome.stillRunning |= !admin.shutdown(withTimeout(Context::background(), 50ms).context).clean();
    return exitWith(outcome, events);
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    if (const auto exitCode = settings.parse(argc, argv)) {
        return *exitCode;
    }
    lifecycle::blockSignals(std::array{StatusSignal::number});
    return lifecycle::runService(
        "04_hooks",
        [&settings](lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events) {
            return serve(settings, signals, events);
        },
        {.secondTermForces = settings.secondTerm == "force"});
}
