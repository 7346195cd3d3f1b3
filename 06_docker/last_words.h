#pragma once

#include <functional>
#include <utility>

#include "lifecycle/shutdown_signals.h"

namespace stage {

/// What is said when a second signal forces the end, for as long as there is something to say.
class LastWords {
public:
    LastWords(lifecycle::ShutdownSignals& signals, std::function<void()> words) : signals_(signals) {
        signals_.onForced(std::move(words));
    }
    ~LastWords() { signals_.onForced({}); }

    LastWords(const LastWords&) = delete;
    LastWords& operator=(const LastWords&) = delete;

private:
    lifecycle::ShutdownSignals& signals_;
};

}  // namespace stage
