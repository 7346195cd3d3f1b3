#include "catch.h"
#include "flag.h"
#include "http_client.h"

#include "lifecycle/filter.h"
#include "lifecycle/http_server.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>

#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::Filter;
using lifecycle::FilteredService;
using lifecycle::Gate;
using lifecycle::GateFilter;
using lifecycle::HttpServer;
using lifecycle::TimingFilter;
using lifecycle::test::Flag;
using lifecycle::test::httpRequest;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;
namespace test = lifecycle::test;

namespace {

using Handle = std::function<void(HTTPServerRequest&, HTTPServerResponse&)>;

/// A service whose handlers all do the same; none at all for "/nothing".
class Service : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit Service(Handle handle) : handle_(std::move(handle)) {}

    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest& request) override {
        struct Handler : Poco::Net::HTTPRequestHandler {
            explicit Handler(const Handle& handle) : handle_(handle) {}
            void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
                handle_(request, response);
            }
            const Handle& handle_;
        };
        return request.getURI() == "/nothing" ? nullptr : new Handler(handle_);
    }

private:
    const Handle handle_;
};

void answer(HTTPServerResponse& response, const std::string& text) {
    response.sendBuffer(text.data(), text.size());
}

/// Writes down who was called; stops the chain with "no" if the URI is "/stop-<name>".
class Witness : public Filter {
public:
    Witness(std::string name, std::vector<std::string>& calls) : name_(std::move(name)), calls_(calls) {}

    void handle(HTTPServerRequest& request, HTTPServerResponse& response, const Next& next) override {
        calls_.push_back("> " + name_);
        if (request.getURI() == "/stop-" + name_) {
            answer(response, "no");
        } else {
            next(request, response);
        }
        calls_.push_back("< " + name_);
    }

private:
    const std::string name_;
    std::vector<std::string>& calls_;
};

} // namespace

TEST_CASE("library: filters are called in their order around the handler") {
    std::vector<std::string> calls; // by one request at a time
    HttpServer server(new FilteredService(new Service([&](HTTPServerRequest&, HTTPServerResponse& response) {
                                              calls.push_back("handler");
                                              answer(response, "yes");
                                          }),
                                          {std::make_shared<Witness>("a", calls),
                                           std::make_shared<Witness>("b", calls)}),
                      {});
    server.start();
    // On one connection: the next request is read after the last filter of the one before has returned.
    auto client = test::Connection::to(server.address().port());
    const auto ask = [&](const std::string& path) {
        client.send(httpRequest("GET", path));
        return client.readResponse(10s);
    };
    CHECK(ask("/").body == "yes");
    CHECK(ask("/stop-b").body == "no");
    CHECK(ask("/nothing").status == 501);
    server.shutdown(Context::background());
    CHECK(calls == std::vector<std::string>{"> a", "> b", "handler", "< b", "< a", "> a", "> b", "< b", "< a"});
}

TEST_CASE("library: filters work with the server that Poco ships") {
    Gate gate;
    const auto timing = std::make_shared<TimingFilter>();
    Poco::Net::HTTPServer server(
        new FilteredService(new Service([&](HTTPServerRequest&, HTTPServerResponse& response) {
                                CHECK(gate.count() == 1);
                                answer(response, "yes");
                            }),
                            {timing, std::make_shared<GateFilter>(gate)}),
        Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)), new Poco::Net::HTTPServerParams);
    server.start();
    CHECK(test::get(server.port(), "/").body == "yes");
    gate.close();
    CHECK(gate.wait(withTimeout(Context::background(), 10s).context));
    CHECK(test::get(server.port(), "/").status == 503);
    CHECK(timing->totals().count == 2);
    server.stopAll(true);
}

TEST_CASE("library: a closed gate answers 503 with Retry-After and closes the connection") {
    Gate gate;
    HttpServer server(new FilteredService(new Service([](HTTPServerRequest&, HTTPServerResponse& response) {
                                              answer(response, "yes");
                                          }),
                                          {std::make_shared<GateFilter>(gate)}),
                      {});
    server.start();
    auto connection = test::Connection::to(server.address().port());
    connection.send(httpRequest("GET", "/"));
    CHECK(connection.readResponse(5s).status == 200);
    gate.close();
    connection.send(httpRequest("GET", "/"));
    const test::Response refused = connection.readResponse(5s);
    CHECK(refused.status == 503);
    CHECK(refused.header("Retry-After") == "1");
    CHECK(refused.header("Connection") == "close");
    CHECK(connection.readBytes(1, 5s).outcome == test::Outcome::closed);
    server.shutdown(Context::background());
}

TEST_CASE("library: a request holds its place in the gate until its answer is flushed") {
    Gate gate;
    Flag begun;
    Flag go;
    HttpServer server(new FilteredService(new Service([&](HTTPServerRequest&, HTTPServerResponse& response) {
                                              begun.set();
                                              go.wait();
                                              answer(response, "yes");
                                          }),
                                          {std::make_shared<GateFilter>(gate)}),
                      {});
    server.start();
    auto connection = test::Connection::to(server.address().port());
    connection.send(httpRequest("GET", "/"));
    REQUIRE(begun.wait());
    gate.close();
    CHECK(gate.count() == 1);
    CHECK_FALSE(gate.wait(withTimeout(Context::background(), 20ms).context));
    go.set();
    CHECK(gate.wait(withTimeout(Context::background(), 10s).context));
    CHECK(connection.readResponse(5s).body == "yes");
    server.shutdown(Context::background());
}

TEST_CASE("library: a handler that throws gives its place back and is timed") {
    Gate gate;
    const auto timing = std::make_shared<TimingFilter>();
    HttpServer server(new FilteredService(new Service([](HTTPServerRequest&, HTTPServerResponse&) {
                                              throw std::runtime_error("no");
                                          }),
                                          {timing, std::make_shared<GateFilter>(gate)}),
                      {});
    server.start();
    CHECK(test::get(server.address().port(), "/").status == 500);
    gate.close();
    CHECK(gate.wait(withTimeout(Context::background(), 10s).context));
    CHECK(timing->totals().count == 1);
    server.shutdown(Context::background());
}

TEST_CASE("library: the timing filter knows how many and how long") {
    const auto timing = std::make_shared<TimingFilter>();
    HttpServer server(new FilteredService(new Service([](HTTPServerRequest& request, HTTPServerResponse& response) {
                                              const auto work = request.getURI() == "/slow" ? 50ms : 0ms;
                                              lifecycle::requestContext(request).waitFor(work);
                                              answer(response, "yes");
                                          }),
                                          {timing}),
                      {});
    server.start();
    CHECK(timing->totals().count == 0);
    test::get(server.address().port(), "/slow");
    test::get(server.address().port(), "/fast");
    server.shutdown(Context::background());
    CHECK(timing->totals().count == 2);
    CHECK(timing->totals().longest >= 50ms);
    CHECK(timing->totals().sum >= timing->totals().longest);
}
