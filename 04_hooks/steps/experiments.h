#pragma once

#include <functional>
#include <map>
#include <string>

#include "lifecycle/context.h"
#include "lifecycle/duration.h"

namespace stage {

/// "What if this hook is slow, fails or hangs?", to be tried out: `--hook orders:hang`.
class Experiments {
public:
    /// `NAME:2s` makes a hook begin that much later; `NAME:fail` makes it throw, and `NAME:hang` makes it wait forever and
    /// ignore its context, both instead of doing its work. The last experiment with a hook counts. Throws std::invalid_argument with a sentence for the user.
    void add(const std::string& text);

    using Run = std::function<void(const lifecycle::Context&)>;

    /// The work of the hook `name`, as changed by the experiment with it.
    Run applied(const std::string& name, Run run) const;

private:
    std::map<std::string, std::string> kinds_;
};

}  // namespace stage
