#pragma once

#include "flag.h"

#include "lifecycle/hooks.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace lifecycle::test {

inline HooksReport runWithin(Hooks& hooks, Duration total) {
    return hooks.run(withTimeout(Context::background(), total).context);
}

/// Which hooks ran, in the order in which they began.
class Diary {
public:
    /// A hook that writes its name down.
    Hook entry(const std::string& name, int phase) {
        return {name, phase, std::chrono::seconds(10), [this, name](const Context&) { write(name); }};
    }
    void write(const std::string& name) {
        const std::lock_guard lock(mutex_);
        names_.push_back(name);
    }
    std::vector<std::string> names() const {
        const std::lock_guard lock(mutex_);
        return names_;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::string> names_;
};

/// A hook that does not know what a context is, until the flag is set. Nothing it uses is destroyed.
inline Hook deaf(const std::string& name, int phase, Duration timeout, std::shared_ptr<Flag> flag) {
    return {name, phase, timeout, [flag](const Context&) { flag->wait(std::chrono::seconds(60)); }};
}

inline const HookReport& named(const HooksReport& report, const std::string& name) {
    for (const HookReport& hook : report.hooks) {
        if (hook.name == name) {
            return hook;
        }
    }
    throw std::out_of_range(name);
}

} // namespace lifecycle::test
