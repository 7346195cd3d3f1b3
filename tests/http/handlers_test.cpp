#include "catch.h"
#include "deadline.h"
#include "http_client.h"
#include "recorded_events.h"

#include "lifecycle/function_handler.h"
#include "lifecycle/http_server.h"
#include "lifecycle/readiness_handler.h"

#include <Poco/Net/HTTPRequestHandlerFactory.h>

#include <stdexcept>

using namespace std::chrono_literals;
using lifecycle::Context;
using lifecycle::FunctionHandler;
using lifecycle::HttpServer;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;
using namespace lifecycle::test;

namespace {

class Service : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit Service(Context stopping) : stopping_(stopping) {}

    Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest& request) override {
        if (request.getURI() == "/readyz") {
            return new lifecycle::ReadinessHandler(stopping_);
        }
        return new FunctionHandler([](HTTPServerRequest& asked, HTTPServerResponse& response) {
            if (asked.getURI() == "/throws") {
                throw std::runtime_error("no disk");
            }
            lifecycle::reply(response, HTTPServerResponse::HTTP_CONFLICT, "{}", "application/json");
        });
    }

private:
    const Context stopping_;
};

} // namespace

TEST_CASE("library: readiness is 200 until the shutdown is asked for and 503 from then on") {
    const auto [stopping, stop] = withCancel(Context::background());
    HttpServer server(new Service(stopping), {});
    server.start();
    const auto port = server.address().port();
    const Response ready = get(port, "/readyz");
    CHECK(ready.status == 200);
    CHECK(ready.body == "ready\n");
    CHECK(ready.header("Cache-Control") == "no-store");
    CHECK(get(port, "/readyz").status == 200);
    stop("SIGTERM");
    const Response stopped = get(port, "/readyz");
    CHECK(stopped.status == 503);
    CHECK(stopped.header("Connection") == "close");
    CHECK(stopped.body == "shutting down\n");
}

TEST_CASE("library: a handler from a function responds with what it says and passes its exceptions on") {
    RecordedEvents events;
    HttpServer server(new Service(Context::background()), {.events = &events.log()});
    server.start();
    const Response said = get(server.address().port(), "/");
    CHECK(said.status == 409);
    CHECK(said.body == "{}");
    CHECK(said.header("Content-Type") == "application/json");
    CHECK(said.header("Content-Length") == "2");
    CHECK(get(server.address().port(), "/throws").status == 500);
    CHECK(eventually([&] { return events.text().find("no disk") != std::string::npos; }, 10s)); // logged after it is sent
}
