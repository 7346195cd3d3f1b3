#include "plain_server.h"

#include <unistd.h>

#include <atomic>
#include <memory>

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>

#include "lifecycle/exit_code.h"

namespace {

using lifecycle::EventLog;
using Poco::Net::HTTPRequestHandler;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

/// Logs each request as the graceful server does, around the service's own handlers.
class LoggedService : public Poco::Net::HTTPRequestHandlerFactory {
public:
    LoggedService(Ptr service, EventLog& events) : service_(std::move(service)), events_(events) {}

    HTTPRequestHandler* createRequestHandler(const HTTPServerRequest& request) override {
        return new Handler(service_->createRequestHandler(request), ++requests_, events_);
    }

private:
    class Handler : public HTTPRequestHandler {
    public:
        Handler(HTTPRequestHandler* handler, std::uint64_t id, EventLog& events)
            : handler_(handler), id_(id), events_(events) {}

        void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
            const lifecycle::TimePoint begin = lifecycle::Clock::now();
            const std::string path = request.getURI();
            events_.emit("request.begin", {{"id", id_},
                                           {"method", request.getMethod()},
                                           {"path", path},
                                           {"peer", request.clientAddress().toString()}});
            handler_->handleRequest(request, response);
            events_.emit("request.end", {{"id", id_},
                                         {"path", path},
                                         {"status", static_cast<int>(response.getStatus())},
                                         {"took", lifecycle::Clock::now() - begin}});
        }

    private:
        const std::unique_ptr<HTTPRequestHandler> handler_;
        const std::uint64_t id_;
        EventLog& events_;
    };

    Ptr service_;
    EventLog& events_;
    std::atomic<std::uint64_t> requests_ = 0;
};

}  // namespace

int servePlainly(Poco::Net::HTTPRequestHandlerFactory::Ptr service, const PlainServerOptions& options,
                 const lifecycle::Context& stop, lifecycle::EventLog& events) {
    Poco::Net::ServerSocket socket;
    socket.bind(options.address, true, false);  // without SO_REUSEPORT, so that a taken port is noticed
    socket.listen(4096);

    Poco::Net::HTTPServerParams::Ptr parameters(new Poco::Net::HTTPServerParams);
    parameters->setMaxThreads(static_cast<int>(options.threads));
    parameters->setMaxQueued(static_cast<int>(options.queue));
    Poco::ThreadPool threads(1, static_cast<int>(options.threads));

    Poco::Net::HTTPServer server(new LoggedService(service, events), threads, socket, parameters);
    server.start();
    events.emit("ready", {{"port", socket.address().port()}, {"pid", ::getpid()},
                          {"note", "plain Poco: watch what gets lost"}});

    stop.wait();

    events.emit("shutdown.begin", {{"cause", stop.cause()}, {"note", "no deadline: Poco has none"}});
    const lifecycle::TimePoint begin = lifecycle::Clock::now();
    if (options.stopAll) {
        server.stopAll(false);
    } else {
        server.stop();
    }
    threads.joinAll();
    events.emit("shutdown.end", {{"took", lifecycle::Clock::now() - begin},
                                 {"note", "Poco does not count what it lost"}});
    events.emit("exit", {{"code", lifecycle::exitClean}});
    return lifecycle::exitClean;  // or so it believes
}
