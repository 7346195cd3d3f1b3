#pragma once

#include "http_client.h"
#include "order_server.h"

#include <Poco/JSON/Object.h>

#include <string>
#include <vector>

namespace lifecycle::test {

/// What /drainz says.
Poco::JSON::Object::Ptr drainz(const OrderServer& server);

/// "running", "draining" and so on.
std::string stateOf(const OrderServer& server);

/// A client that reads the stream of events to its end.
class Watcher {
public:
    explicit Watcher(int port, const ConnectOptions& options = {});

    /// The states told, each once, and the last event.
    struct Seen {
        Outcome outcome;
        std::vector<std::string> states;
        Poco::JSON::Object::Ptr last;
        std::size_t events = 0;
    };

    Seen readToEnd(Deadline deadline);

private:
    Connection connection_;
};

} // namespace lifecycle::test
