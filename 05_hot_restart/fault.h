#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"

namespace stage {

/// An experiment: how a new generation fails. Read from the configuration file; ignored by the first generation.
///
///     fault=exit7             exits immediately with code 7
///     fault=crash             crashes immediately
///     fault=hang              never gets ready
///     fault=slow-init=2s      takes that long to get ready
///     fault=silent            closes the channel to the previous generation and hangs
///     fault=ready-then-die=1s serves that long, then crashes
class Fault {
public:
    /// Throws std::invalid_argument with a sentence for the user.
    static Fault parse(const std::string& text);

    /// To be called before the generation is ready. `closeChannel` closes the one to the starter; `stop` ends a wait.
    void beforeReady(const lifecycle::Context& stop, const std::function<void()>& closeChannel) const;

    /// "exit7" and so on; empty without a fault.
    std::string_view kind() const { return kind_; }

    /// How long it serves before it calls crash(); zero: forever.
    lifecycle::Duration livesFor() const;

    /// Aborts the process (SIGABRT) without a core dump.
    [[noreturn]] static void crash();

private:
    std::string_view kind_;
    lifecycle::Duration duration_{};
};

}  // namespace stage
