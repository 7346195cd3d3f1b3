#include "admin_client.h"

#include "catch.h"

#include <Poco/JSON/Parser.h>

namespace lifecycle::test {
namespace {

Poco::JSON::Object::Ptr parse(const std::string& text) {
    return Poco::JSON::Parser().parse(text).extract<Poco::JSON::Object::Ptr>();
}

} // namespace

Poco::JSON::Object::Ptr drainz(const OrderServer& server) {
    const Response answer = server.admin("/drainz");
    REQUIRE(answer.status == 200);
    REQUIRE(answer.header("Content-Type") == "application/json");
    return parse(answer.body);
}

std::string stateOf(const OrderServer& server) {
    return drainz(server)->getValue<std::string>("state");
}

Watcher::Watcher(int port, const ConnectOptions& options)
    : connection_(Connection::to(port, std::chrono::seconds(5), options)) {
    REQUIRE_FALSE(connection_.error());
    connection_.send(httpRequest("GET", "/events"));
}

Watcher::Seen Watcher::readToEnd(Deadline deadline) {
    const Response answer = connection_.readResponse(deadline);
    Seen seen{answer.outcome, {}, nullptr, 0};
    CHECK(answer.header("Content-Type") == "text/event-stream");
    const std::string begin = "event: state\ndata: ";
    for (std::size_t at = answer.body.find(begin); at != std::string::npos; at = answer.body.find(begin, at + 1)) {
        const std::size_t json = at + begin.size();
        seen.last = parse(answer.body.substr(json, answer.body.find('\n', json) - json));
        ++seen.events;
        const auto state = seen.last->getValue<std::string>("state");
        if (seen.states.empty() || seen.states.back() != state) {
            seen.states.push_back(state);
        }
    }
    return seen;
}

} // namespace lifecycle::test
