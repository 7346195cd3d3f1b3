// A service that accepts jobs over HTTP, responds with 202 at once, and works on them in the background. When it is
// asked to shut down, it finishes the requests it has accepted, then the jobs, and then closes its journal.

#include <chrono>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <lifecycle/context.h>
#include <lifecycle/event_log.h>
#include <lifecycle/function_handler.h>
#include <lifecycle/grace_period.h>
#include <lifecycle/hooks.h>
#include <lifecycle/http_server.h>
#include <lifecycle/lame_duck.h>
#include <lifecycle/readiness_handler.h>
#include <lifecycle/run_service.h>
#include <lifecycle/shutdown_outcome.h>
#include <lifecycle/wait_group.h>

using namespace std::chrono_literals;
using lifecycle::Context;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

class Jobs {
public:
    explicit Jobs(const std::string& journal) : journal_(journal) {
        if (!journal_) {
            throw std::runtime_error("cannot write to " + journal);
        }
    }

    bool begin() {
        return jobs_.go([this] {
            std::this_thread::sleep_for(1s);  // the work
            const std::lock_guard lock(mutex_);
            journal_ << "done" << std::endl;
        });
    }

    bool wait(const Context& context) { return jobs_.wait(context); }

    void closeJournal() {
        const std::lock_guard lock(mutex_);
        journal_.close();
        if (!journal_) {
            throw std::runtime_error("the journal is not complete");
        }
    }

private:
    std::mutex mutex_;
    std::ofstream journal_;  // guarded by mutex_
    lifecycle::WaitGroup jobs_;
};

class JobService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    JobService(Jobs& jobs, Context stop) : jobs_(jobs), stop_(stop) {}

    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest& request) override {
        if (request.getURI() == "/readyz") {
            return new lifecycle::ReadinessHandler(stop_);
        }
        return new lifecycle::FunctionHandler([this](HTTPServerRequest&, HTTPServerResponse& response) {
            if (jobs_.begin()) {
                lifecycle::reply(response, HTTPServerResponse::HTTP_ACCEPTED, "accepted\n");
            } else {
                lifecycle::reply(response, HTTPServerResponse::HTTP_SERVICE_UNAVAILABLE, "shutting down\n");
            }
        });
    }

private:
    Jobs& jobs_;
    const Context stop_;
};

int serve(const std::string& port, const std::string& journal, const Context& stop, lifecycle::EventLog& events) {
    Jobs jobs(journal);
    lifecycle::HttpServer server(new JobService(jobs, stop), {.address = {"127.0.0.1", port}, .events = &events});
    lifecycle::Hooks hooks(&events);
    hooks.add({.name = "journal", .timeout = 2s, .run = [&jobs](const Context&) { jobs.closeJournal(); }});
    lifecycle::checkGracePeriod({2s, 10s, hooks.longest(), 1s}, 30s, events);  // the steps below, and a margin
    server.start();
    events.emit("ready", {{"port", server.address().port()}});

    stop.wait();  // from here on /readyz responds 503

    server.announceShutdown();  // every response says `Connection: close`
    lifecycle::serveLameDuck(2s, Context::background(), events);  // while load balancers notice

    const auto [deadline, cancel] = withTimeout(Context::background(), 10s);
    const lifecycle::ShutdownResult requests = server.shutdown(deadline);  // after that nobody can begin a job
    const bool jobsDone = jobs.wait(deadline);

    const auto [limit, cancelHooks] = withTimeout(Context::background(), hooks.longest());
    const lifecycle::HooksReport steps = hooks.run(limit);

    return exitWith({.workCut = !requests.clean() || !jobsDone,
                     .hookFailed = !steps.allOk(),
                     .stillRunning = steps.anyAbandoned()},
                    events);
}

int main(int argc, char** argv) {
    const std::string port = argc > 1 ? argv[1] : "8080";
    const std::string journal = argc > 2 ? argv[2] : "journal";
    return lifecycle::runService(argv[0], [&](lifecycle::ShutdownSignals& signals, lifecycle::EventLog& events) {
        return serve(port, journal, signals.context(), events);
    });
}
