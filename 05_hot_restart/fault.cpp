#include "fault.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace stage {
namespace {

struct Kind {
    std::string_view name;
    bool takesDuration;
};

constexpr std::array kinds{Kind{"exit7", false},    Kind{"crash", false},  Kind{"hang", false},
                           Kind{"slow-init", true}, Kind{"silent", false}, Kind{"ready-then-die", true}};

[[noreturn]] void hang() {
    for (;;) {
        ::pause();
    }
}

}  // namespace

Fault Fault::parse(const std::string& text) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const Kind& one) { return one.name == text.substr(0, equals); });
    if (kind == kinds.end() || kind->takesDuration != (equals < text.size())) {
        throw std::invalid_argument("fault: \"" + text + "\" is not one of exit7, crash, hang, slow-init=DURATION, "
                                    "silent, ready-then-die=DURATION");
    }
    Fault fault;
    fault.kind_ = kind->name;
    if (kind->takesDuration) {
        fault.duration_ = lifecycle::parseDuration(text.substr(equals + 1));
    }
    return fault;
}

void Fault::beforeReady(const lifecycle::Context& stop, const std::function<void()>& closeChannel) const {
    if (kind_ == "exit7") {
        ::_exit(7);
    } else if (kind_ == "crash") {
        crash();
    } else if (kind_ == "hang") {
        hang();
    } else if (kind_ == "slow-init") {
        stop.waitFor(duration_);
    } else if (kind_ == "silent") {
        closeChannel();
        hang();
    }
}

lifecycle::Duration Fault::livesFor() const {
    return kind_ == "ready-then-die" ? duration_ : lifecycle::Duration::zero();
}

void Fault::crash() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::abort();
}

}  // namespace stage
