#include "heartbeat.h"

#include <utility>

#include "lifecycle/duration.h"

namespace stage {
namespace {

/// Each message asks for more time than passes until the next one.
constexpr lifecycle::Duration extendEvery = std::chrono::seconds(1);
constexpr lifecycle::Duration extension = std::chrono::seconds(15);

}  // namespace

void Heartbeat::start() {
    if (next_ == 0 && notifier_.watchdogInterval() > lifecycle::Duration::zero()) {
        beat();
    }
}

void Heartbeat::stop() {
    loop_.cancel(std::exchange(next_, 0));
}

void Heartbeat::beat() {
    notifier_.watchdog();
    next_ = loop_.in(notifier_.watchdogInterval(), [this] { beat(); });
}

void Heartbeat::shutdown(std::function<std::string()> status) {
    status_ = std::move(status);
    loop_.in(extendEvery, [this] { extend(); });
}

void Heartbeat::extend() {
    notifier_.extendTimeout(extension, status_());
    loop_.in(extendEvery, [this] { extend(); });
}

}  // namespace stage
