// Stage 04: a service that ends in steps, and shows what it is waiting for. The steps are hooks:
// readiness off, lame duck, gate closed, requests in flight finished, orders stored, servers closed,
// report. Each has its time limit, and none can hold up the others.

#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>

#include "admin_service.h"
#include "hello_service.h"
#include "lame_duck.h"
#include "lifecycle/error_line.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/shutdown_all.h"
#include "lifecycle/shutdown_signals.h"
#include "order_service.h"
#include "settings.h"
#include "shutdown_plan.h"
#include "shutdown_steps.h"
#include "status_signal.h"
#include "status_text.h"

using namespace std::chrono_literals;
using namespace stage;
using lifecycle::Context;
using lifecycle::Duration;
using lifecycle::HttpServer;

namespace {

constexpr Duration margin = 1s;  // what a hook with a clock of its own has beyond it, to say how it went

/// How many orders are acknowledged and lost. Nothing can be done with the store afterwards.
std::uint64_t tellUnstored(OrderStore& store, lifecycle::EventLog& events, Duration patience) {
    const OrderStore::Unstored unstored = store.abandon(patience);
    events.emitWithin(patience, "orders.unstored",
                      {{"count", unstored.count}, {"note", unstored.count == 0 ? "nothing is lost"
                                                           : unstored.exact    ? "acknowledged and lost"
                                                                               : "at most"}});
    return unstored.count;
}

/// Whether every order is in the file. If the hook `orders` failed, this makes up for it.
bool isFinished(OrderStore& store) {
    if (store.counters().waiting > 0) {
        return false;
    }
    try {
        store.finish(withTimeout(Context::background(), 1s).context);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

int serve(const Settings& settings, lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events) {
    const auto store = std::make_shared<OrderStore>(
        OrderStore::Options{.path = settings.database, .queue = settings.orderQueue}, events);
    signals.onForced([store, &events] { tellUnstored(*store, events, 20ms); });

    // The public server: filters around the handlers, which know nothing of them.
    std::atomic<bool> ready = true;
    lifecycle::Gate admission;
    const auto timing = std::make_shared<lifecycle::TimingFilter>();
    Poco::Net::HTTPRequestHandlerFactory::Ptr service(new OrderService(*store, new HelloService(settings.work, ready)));
    const auto admitting = std::make_shared<lifecycle::GateFilter>(admission);
    HttpServer server(new lifecycle::FilteredService(service, {timing, admitting}),
                      {.address = {settings.address, settings.port},
                       .threads = settings.threads,
                       .queue = settings.queue,
                       .keepAliveGrace = settings.keepAliveGrace,
                       .keepAliveTimeout = settings.keepAliveTimeout,
                       .events = &events});

    lifecycle::Hooks hooks(&events);
    LifecycleStatus status({hooks, server, *timing, *store});
    HttpServer admin(new AdminService(status, ready),
                     {.address = {settings.adminAddress, settings.adminPort}, .keepAliveGrace = 10ms});

    // What the end consists of, in its order.
    const auto add = [&](ShutdownStep step, Duration timeout, Experiments::Run run) {
        const std::string name(stepNames[step]);
        hooks.add({name, step, timeout, settings.experiments.applied(name, std::move(run))});
    };
    add(readiness, settings.hookTimeout, [&](const Context&) {
        ready = false;
        server.announceShutdown();
        admin.announceShutdown();
        events.emit("readiness.off");
    });
    add(lameDuck, lifecycle::addSaturated(settings.lameDuck, margin),
        [&](const Context& context) { serveLameDuck(settings.lameDuck, context, events); });
    add(gate, settings.hookTimeout, [&](const Context&) { server.closeListener(); });
    add(inFlight, lifecycle::addSaturated(settings.timeout, margin), [&](const Context& context) {
        const auto [deadline, cancel] = withTimeout(context, settings.timeout);
        const lifecycle::ShutdownResult result = server.shutdown(deadline);
        admission.close();  // Behind the last one who was in line; closed earlier, it would turn them away.
        if (!result.clean()) {
            throw std::runtime_error(std::to_string(result.cut) + (result.cut == 1 ? " request was" : " requests were") +
                                     " cut");
        }
        admission.wait(deadline);
    });
    add(orders, settings.hookTimeout, [&](const Context& context) { store->finish(context); });
    add(servers, settings.hookTimeout, [&](const Context& context) {
        // One server is left; more of them would be shut down concurrently.
        shutdownAll({{"public", [&](const Context& limit) { server.shutdown(limit); }}}, context);
    });
    add(report, settings.hookTimeout, [&](const Context&) { tellUsed(hooks, events); });

    server.start();
    admin.start();
    const StatusSignal statusSignal([&] { toEvents(status.snapshot(), events); });
    tellPlan(hooks, settings.totalTimeout, settings.grace, events);
    events.emit("ready",
                {{"port", server.address().port()}, {"admin_port", admin.address().port()}, {"pid", ::getpid()}});

    signals.context().wait();

    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    const auto [total, stop] = withTimeout(Context::background(), settings.totalTimeout);
    events.emit("shutdown.begin", {{"cause", signals.context().cause()}, {"deadline", settings.totalTimeout}});
    status.begin(signals.context().cause(), total);
    const lifecycle::HooksReport outcome = hooks.run(total);

    // What no hook could end is cut now, and counted: by a deadline that has passed already.
    const auto over = withDeadline(Context::background(), begin, "the hooks are over").context;
    const lifecycle::ShutdownResult requests = server.shutdown(over);
    const bool storing = !isFinished(*store);
    const bool lost = (storing && tellUnstored(*store, events, 1s) > 0) || requests.cut > 0;
    const int code = lost ? lifecycle::exitWorkCut : outcome.allOk() ? lifecycle::exitClean : lifecycle::exitHookFailed;
    events.emit("shutdown.end", {{"served", requests.served}, {"refused", requests.refused},
                                 {"cut", requests.cut}, {"orders_refused", store->counters().refused},
                                 {"took", lifecycle::Clock::now() - begin}});

    // The admin server goes last, so that everybody who looks on sees the end.
    status.end(code);
    const bool adminLeft = !admin.shutdown(withTimeout(Context::background(), 50ms).context).clean();
    events.emit("exit", {{"code", code}});
    if (lost || storing || adminLeft || outcome.anyAbandoned()) {
        ::_exit(code);  // Somebody may still be at work: no destructors under their feet.
    }
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    if (const auto exitCode = settings.parse(argc, argv)) {
        return *exitCode;
    }
    lifecycle::blockSignals(std::array{StatusSignal::number});
    lifecycle::EventLog events;
    lifecycle::ShutdownSignals signals(events, {.secondTermForces = settings.secondTerm == "force"});
    try {
        return serve(settings, signals, events);
    } catch (const std::exception& error) {
        lifecycle::printError("04_hooks", error.what());
        return lifecycle::exitUnavailable;
    }
}
