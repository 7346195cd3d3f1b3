#include "admin/status_text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>

#include <Poco/Dynamic/Var.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/Types.h>

namespace stage {
namespace {

using lifecycle::ConnectionInfo;
using lifecycle::ConnectionState;
using lifecycle::Duration;
using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

constexpr std::array allStates{ConnectionState::fresh,    ConnectionState::queued,
                               ConnectionState::reading,  ConnectionState::handling,
                               ConnectionState::writing,  ConnectionState::idle,
                               ConnectionState::closing};

Var milliseconds(Duration duration) {
    return static_cast<Poco::Int64>(std::chrono::floor<std::chrono::milliseconds>(duration).count());
}

Var milliseconds(const std::optional<Duration>& duration) {
    return duration ? milliseconds(*duration) : Var();
}

Var number(std::uint64_t value) {
    return static_cast<Poco::UInt64>(value);
}

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

/// What a client sent, made harmless: bytes that are no printable ASCII are written as in a URI.
std::string printable(const std::string& text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte > 0x20 && byte < 0x7f) {
            result += character;
        } else {
            result += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return result;
}

long count(const StatusSnapshot& status, ConnectionState state) {
    return std::count_if(status.connections.begin(), status.connections.end(),
                         [state](const ConnectionInfo& connection) { return connection.state == state; });
}

/// Keeps the order in which its members are set.
Object::Ptr makeObject() {
    return new Object(Poco::JSON_PRESERVE_KEY_ORDER);
}

Array::Ptr requestsOf(const StatusSnapshot& status) {
    Array::Ptr requests(new Array);
    for (const ConnectionInfo& request : status.inFlight()) {
        Object::Ptr object = makeObject();
        object->set("id", number(request.id));
        object->set("method", printable(request.method));
        object->set("path", printable(request.path));
        object->set("peer", request.peer);
        object->set("age_ms", milliseconds(request.age));
        object->set("state", std::string(toString(request.state)));
        requests->add(object);
    }
    return requests;
}

Array::Ptr hooksOf(const StatusSnapshot& status) {
    Array::Ptr hooks(new Array);
    for (const lifecycle::HookReport& hook : status.hooks) {
        Object::Ptr object = makeObject();
        object->set("name", hook.name);
        object->set("phase", hook.phase);
        object->set("status", std::string(toString(hook.status)));
        object->set("timeout_ms", milliseconds(hook.timeout));
        object->set("took_ms", milliseconds(hook.took));
        object->set("error", hook.error);
        hooks->add(object);
    }
    return hooks;
}

Object::Ptr countersOf(const StatusSnapshot& status) {
    Object::Ptr counters = makeObject();
    counters->set("served", number(status.requests.served));
    counters->set("refused", number(status.requests.refused));
    counters->set("cut", number(status.requests.cut));
    counters->set("orders_acknowledged", number(status.orders.acknowledged));
    counters->set("orders_stored", number(status.orders.stored));
    counters->set("orders_queued", number(status.orders.waiting));
    counters->set("orders_refused", number(status.orders.refused));
    return counters;
}

/// Writes one metric after the other, each with its HELP and TYPE.
class Metrics {
public:
    Metrics() { text_.precision(15); }  // or a sum of seconds would move in steps

    void begin(const char* name, const char* type, const char* help) {
        name_ = name;
        text_ << "# HELP " << name << ' ' << help << "\n# TYPE " << name << ' ' << type << '\n';
    }

    template <typename Number>
    void value(Number value, std::string_view label = {}, std::string_view labelled = {}) {
        text_ << name_;
        if (!label.empty()) {
            text_ << '{' << label << "=\"" << labelled << "\"}";
        }
        text_ << ' ' << value << '\n';
    }

    std::string text() const { return text_.str(); }

private:
    std::string name_;
    std::ostringstream text_;
};

}  // namespace

std::string toJson(const StatusSnapshot& status) {
    Object::Ptr connections = makeObject();
    for (const ConnectionState state : allStates) {
        connections->set(std::string(toString(state)), static_cast<Poco::Int64>(count(status, state)));
    }
    Object::Ptr object = makeObject();
    object->set("state", std::string(toString(status.state)));
    object->set("cause", status.cause.empty() ? Var() : Var(status.cause));
    object->set("uptime_ms", milliseconds(status.uptime));
    object->set("deadline_ms", milliseconds(status.deadline));
    object->set("remaining_ms", milliseconds(status.remaining));
    object->set("in_flight", requestsOf(status));
    object->set("connections", connections);
    object->set("hooks", hooksOf(status));
    object->set("counters", countersOf(status));
    object->set("exit_code", status.exitCode ? Var(*status.exitCode) : Var());
    std::ostringstream text;
    object->stringify(text);
    return text.str();
}

std::string toMetrics(const StatusSnapshot& status) {
    Metrics metrics;
    metrics.begin("lifecycle_state", "gauge", "1 for the state the process is in.");
    for (const LifecycleState state : {LifecycleState::running, LifecycleState::lameDuck, LifecycleState::draining,
                                       LifecycleState::hooks, LifecycleState::stopped}) {
        metrics.value(state == status.state ? 1 : 0, "state", toString(state));
    }
    metrics.begin("lifecycle_uptime_seconds", "gauge", "Time since the start.");
    metrics.value(seconds(status.uptime));
    if (status.remaining) {
        metrics.begin("lifecycle_shutdown_remaining_seconds", "gauge", "What is left for the shutdown.");
        metrics.value(seconds(*status.remaining));
    }
    metrics.begin("lifecycle_connections", "gauge", "Connections by what they are doing.");
    for (const ConnectionState state : allStates) {
        metrics.value(count(status, state), "state", toString(state));
    }
    metrics.begin("lifecycle_requests_total", "counter", "Requests accepted, by their end.");
    metrics.value(status.requests.served, "end", "served");
    metrics.value(status.requests.refused, "end", "refused");
    metrics.value(status.requests.cut, "end", "cut");
    metrics.begin("lifecycle_handler_calls_total", "counter", "Calls of handlers.");
    metrics.value(status.handlers.count);
    metrics.begin("lifecycle_handler_seconds_total", "counter", "Time that they took.");
    metrics.value(seconds(status.handlers.sum));
    metrics.begin("lifecycle_handler_longest_seconds", "gauge", "The longest of these.");
    metrics.value(seconds(status.handlers.longest));
    metrics.begin("lifecycle_orders_total", "counter", "Orders, by what was done with them.");
    metrics.value(status.orders.acknowledged, "done", "acknowledged");
    metrics.value(status.orders.stored, "done", "stored");
    metrics.value(status.orders.refused, "done", "refused");
    metrics.begin("lifecycle_orders_waiting", "gauge", "Orders acknowledged and not yet stored.");
    metrics.value(status.orders.waiting);
    metrics.begin("lifecycle_hook_seconds", "gauge", "Time that each hook of the shutdown took so far.");
    for (const lifecycle::HookReport& hook : status.hooks) {
        metrics.value(seconds(hook.took), "hook", hook.name);
    }
    return metrics.text();
}

void toEvents(const StatusSnapshot& status, lifecycle::EventLog& events) {
    const std::vector<ConnectionInfo> requests = status.inFlight();
    events.emit("status", {{"state", toString(status.state)},
                           {"cause", status.cause.empty() ? "-" : status.cause},
                           {"remaining", status.remaining ? lifecycle::formatRounded(*status.remaining) : "-"},
                           {"in_flight", requests.size()},
                           {"orders_waiting", status.orders.waiting}});
    for (const ConnectionInfo& request : requests) {
        events.emit("status.request", {{"method", request.method.empty() ? "-" : request.method},
                                       {"path", request.path.empty() ? "-" : request.path},
                                       {"peer", request.peer},
                                       {"age", request.age},
                                       {"state", toString(request.state)}});
    }
    for (const lifecycle::HookReport& hook : status.hooks) {
        events.emit("status.hook", {{"name", hook.name},
                                    {"status", toString(hook.status)},
                                    {"took", hook.took},
                                    {"timeout", hook.timeout}});
    }
}

}  // namespace stage
