#include "settings.h"

#include <stdexcept>

#include "lifecycle/options.h"

namespace stage {

std::optional<int> Settings::parse(int argc, const char* const* argv) {
    lifecycle::Options options("04_hooks", "takes orders and ends in steps, none of which can hold up the others");
    options.text("address", address, "address to listen on");
    options.port("port", port, "port to listen on, 0 for a free one");
    options.text("admin-address", adminAddress, "address of the admin server");
    options.port("admin-port", adminPort, "port of the admin server, 0 for a free one");
    options.value("db", "FILE", database, "SQLite file that orders are stored in", [this](const std::string& path) {
        if (path.empty() || path == ":memory:" || path.starts_with("file:")) {
            throw std::invalid_argument("it must be a file on a disk, by its path and not by a URI");
        }
        database = path;
    });
    options.number("order-queue", orderQueue, 1, 1'000'000, "orders waiting to be stored before 503");
    options.number("threads", threads, 1, 10'000, "requests worked on at once");
    options.number("queue", queue, 1, 1'000'000, "requests waiting for a thread before 503");
    options.duration("work", work, "how long GET /hello works");
    options.duration("lame-duck", lameDuck, "time to serve on after the signal");
    options.duration("timeout", timeout, "time for requests in flight before they are cut");
    options.duration("keepalive-grace", keepAliveGrace, "time for idle connections to send one more request");
    options.duration("keep-alive-timeout", keepAliveTimeout,
                     "time between two requests of a connection, 0s to close after each response");
    options.duration("hook-timeout", hookTimeout, "time for each hook before it is abandoned");
    options.duration("total-timeout", totalTimeout, "time for all hooks together");
    options.duration("grace", grace, "time until somebody kills the process, to be checked at the start; 0s: unknown");
    options.choice("second-term", secondTerm, {"force", "ignore"}, "what a second TERM or HUP does; INT and QUIT always force");
    options.value("hook", "NAME:WHAT", "none",
                  "try what happens if a hook is slow (2s), throws (fail) or hangs (hang); repeatable",
                  [this](const std::string& text) { experiments.add(text); });
    return options.parse(argc, argv);
}

}  // namespace stage
