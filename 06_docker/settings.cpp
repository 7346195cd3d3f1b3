#include "settings.h"

#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "lifecycle/error_line.h"
#include "lifecycle/exit_code.h"
#include "lifecycle/options.h"

namespace stage {
namespace {

/// Throws std::invalid_argument unless it is HOST:PORT. Whether there is such a host, time will
/// tell.
std::string hostAndPort(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const char* const end = text.data() + text.size();
    std::uint16_t port = 0;
    if (colon == std::string::npos || colon == 0 ||
        std::from_chars(text.data() + colon + 1, end, port).ptr != end || port == 0) {
        throw std::invalid_argument("\"" + text + "\" is not HOST:PORT, such as localhost:6379");
    }
    return text;
}

}  // namespace

std::optional<int> Settings::parse(int argc, const char* const* argv) {
    lifecycle::Options options(
        "06_docker", "answers first, works in the background, and forgets nothing when it ends");
    options.environment("LAB");
    options.text("address", address, "address to listen on");
    options.port("port", port, "port to listen on, 0 for a free one");
    options.value("redis", "HOST:PORT", "none: count in memory",
                  "the Redis to count in; also REDIS_ADDR in the environment",
                  [this](const std::string& text) { redis = hostAndPort(text); });
    options.duration("work", work, "how long GET /incr and GET /hello work");
    options.duration("lame-duck", lameDuck, "time to serve on after the signal");
    options.duration("timeout", timeout,
                     "time for requests and for work in the background before they are cut");
    options.duration("keepalive-grace", keepAliveGrace, "time for idle connections to send one more request");
    options.duration("keep-alive-timeout", keepAliveTimeout,
                     "time between two requests of a connection, 0s to close after each response");
    options.duration("grace", grace,
                     "time until somebody kills the process, checked at the start; 0s: unknown");
    options.choice("mode", mode, {"respond-first", "respond-last"},
                   "answer GET /incr before or after the work");
    options.number("jobs", jobs, 1, 100'000, "increments in the background before 503");
    options.choice("second-term", secondTerm, {"force", "ignore"}, "what a second TERM or HUP does; INT and QUIT always force");
    options.flag("naive", naive, "do not wait for work in the background: see what gets lost");
    options.flag("healthcheck", healthcheck,
                 "ask the server on this address and port for /readyz: exit 0 if ready, 1 if not");
    if (const char* const usual = std::getenv("REDIS_ADDR"); usual != nullptr && *usual != '\0') {
        redis = usual;
    }
    if (const auto exitCode = options.parse(argc, argv)) {
        return exitCode;
    }
    if (!redis.empty()) {
        try {
            hostAndPort(redis);
        } catch (const std::invalid_argument& error) {
            lifecycle::printError("06_docker", std::string("REDIS_ADDR: ") + error.what());
            return lifecycle::exitUsage;
        }
    }
    return std::nullopt;
}

}  // namespace stage
