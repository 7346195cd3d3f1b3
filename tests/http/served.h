#pragma once

#include "deadline.h"
#include "flag.h"
#include "http_client.h"
#include "recorded_events.h"

#include "lifecycle/http_server.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/SharedPtr.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <istream>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

namespace lifecycle::test {

using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

using Handle = std::function<void(HTTPServerRequest&, HTTPServerResponse&)>;

/// A factory of handlers from one function, which counts how many handlers exist.
class FunctionFactory : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit FunctionFactory(Handle handle) : handle_(std::move(handle)) {}

    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
        return new Handler(handle_, counts_);
    }

    struct Counts {
        std::atomic<int> made = 0;
        std::atomic<int> alive = 0;
    };
    std::shared_ptr<const Counts> counts() const { return counts_; }

private:
    class Handler : public Poco::Net::HTTPRequestHandler {
    public:
        Handler(Handle handle, std::shared_ptr<Counts> counts)
            : handle_(std::move(handle)), counts_(std::move(counts)) {
            ++counts_->made;
            ++counts_->alive;
        }
        ~Handler() override { --counts_->alive; }

        void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
            handle_(request, response);
        }

    private:
        const Handle handle_;
        const std::shared_ptr<Counts> counts_;
    };

    const Handle handle_;
    const std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

inline void answer(HTTPServerResponse& response, const std::string& body) {
    response.sendBuffer(body.data(), body.size());
}

inline const Handle hello = [](HTTPServerRequest&, HTTPServerResponse& response) { answer(response, "hello\n"); };

/// A request is in flight until the flag is set, and then answered.
inline Handle answersWhen(const Flag& flag, const std::string& body) {
    return [&flag, body](HTTPServerRequest&, HTTPServerResponse& response) {
        flag.wait();
        answer(response, body);
    };
}

/// Sends back the body of the request.
inline const Handle echo = [](HTTPServerRequest& request, HTTPServerResponse& response) {
    answer(response, std::string(std::istreambuf_iterator<char>(request.stream()), {}));
};

/// Answers 101 and takes the connection away from the server, as a WebSocket does.
inline Poco::Net::StreamSocket takeOver(HTTPServerRequest& request, HTTPServerResponse& response) {
    response.setStatusAndReason(HTTPServerResponse::HTTP_SWITCHING_PROTOCOLS);
    response.send().flush();
    return static_cast<Poco::Net::HTTPServerRequestImpl&>(request).detachSocket();
}

/// An HttpServer on a free port, started, whose handlers are one function.
class Served {
public:
    explicit Served(Handle handle, HttpServerOptions options = {}) : Served(
        Poco::SharedPtr<FunctionFactory>(new FunctionFactory(std::move(handle))), std::move(options)) {}

    /// Waits for requests, and for handlers that were left behind: they refer to the variables of the
    /// test, and to the log.
    ~Served() {
        if (server_) {
            server_->shutdown(withTimeout(Context::background(), std::chrono::seconds(10)).context);
            server_.reset();
        }
        eventually([this] { return counts_->alive == 0; }, std::chrono::seconds(30));
        // Behind its handler, a thread that was left behind still uses static objects of Poco.
        eventually([this] { return workers() <= workersBefore_; }, std::chrono::seconds(5));
    }

    HttpServer& operator*() { return *server_; }
    HttpServer* operator->() { return server_.get(); }
    void destroy() { server_.reset(); }

    int port() const { return port_; }
    const RecordedEvents& events() const { return events_; }
    int handlersMade() const { return counts_->made; }
    int handlersAlive() const { return counts_->alive; }

    /// A connection on which `bytes` have been sent.
    Connection send(std::string_view bytes) const {
        Connection connection = Connection::to(port_);
        connection.send(bytes);
        return connection;
    }

    /// Waits until so many connections are in this state.
    bool comesTo(ConnectionState state, std::size_t count = 1) const {
        return eventually(
            [&] {
                std::size_t found = 0;
                for (const ConnectionInfo& connection : server_->connections()) {
                    found += connection.state == state ? 1 : 0;
                }
                return found == count;
            },
            std::chrono::seconds(10));
    }

private:
    Served(Poco::SharedPtr<FunctionFactory> factory, HttpServerOptions options)
        : counts_(factory->counts()) {
        options.events = &events_.log();
        server_ = std::make_unique<HttpServer>(factory, std::move(options));
        server_->start();
        port_ = server_->address().port();
    }

    /// Threads of this process that work for a server.
    static int workers() {
        int count = 0;
        std::error_code gone;  // threads end while we look
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", gone)) {
            std::string name;
            std::ifstream(task.path() / "comm") >> name;
            count += name == "http-worker" ? 1 : 0;
        }
        return count;
    }

    const int workersBefore_ = workers();
    RecordedEvents events_;
    const std::shared_ptr<const FunctionFactory::Counts> counts_;
    std::unique_ptr<HttpServer> server_;
    int port_ = 0;
};

} // namespace lifecycle::test
