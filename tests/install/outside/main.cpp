// A stranger's program: serves one request of its own, ends the server and exits 0.

#include <iostream>
#include <istream>
#include <string>

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPServerResponse.h>

#include <lifecycle/exit_code.h>
#include <lifecycle/http_server.h>
#include <lifecycle/shutdown_signals.h>

using namespace std::chrono_literals;

namespace {

class Hello : public Poco::Net::HTTPRequestHandler {
    void handleRequest(Poco::Net::HTTPServerRequest&, Poco::Net::HTTPServerResponse& response) override {
        response.sendBuffer("hello", 5);
    }
};

class Service : public Poco::Net::HTTPRequestHandlerFactory {
    Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
        return new Hello;
    }
};

std::string askForHello(const Poco::Net::SocketAddress& address) {
    Poco::Net::HTTPClientSession session(address);
    Poco::Net::HTTPRequest request("GET", "/", Poco::Net::HTTPMessage::HTTP_1_1);
    session.sendRequest(request);
    Poco::Net::HTTPResponse response;
    std::string body;
    session.receiveResponse(response) >> body;
    return body;
}

}  // namespace

int main() {
    lifecycle::EventLog events;
    lifecycle::ShutdownSignals signals(events);
    lifecycle::HttpServer server(new Service, {.events = &events});
    server.start();
    const std::string body = askForHello(server.address());
    const auto result = server.shutdown(withTimeout(lifecycle::Context::background(), 10s).context);
    if (body != "hello" || result.served != 1) {
        std::cerr << "answer " << body << ", served " << result.served << '\n';
        return 1;
    }
    return result.clean() ? lifecycle::exitClean : lifecycle::exitWorkCut;
}
