#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"

namespace stage {

/// An experiment: what is wrong with a new generation. Read from the configuration file, and never
/// done by the first generation.
///
///     fault=exit7             exits at once with code 7
///     fault=crash             crashes at once
///     fault=hang              never gets ready
///     fault=slow-init=2s      takes that long to get ready
///     fault=silent            closes the pipe to the generation before without a word
///     fault=ready-then-die=1s serves that long, then crashes
class Fault {
public:
    /// Throws std::invalid_argument with a sentence for the user.
    static Fault parse(const std::string& text);

    /// What happens before the generation is ready. `closePipe` does what it says; `stop` ends a wait.
    void beforeReady(const lifecycle::Context& stop, const std::function<void()>& closePipe) const;

    /// "exit7" and so on; empty without a fault.
    std::string_view kind() const { return kind_; }

    /// How long it serves before it calls crash(); zero: for ever.
    lifecycle::Duration livesFor() const;

    /// Ends the process by SIGABRT, without a core dump.
    [[noreturn]] static void crash();

private:
    std::string_view kind_;
    lifecycle::Duration duration_{};
};

}  // namespace stage
