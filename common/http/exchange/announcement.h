#pragma once

#include <mutex>

#include "http/exchange/phase.h"
#include "lifecycle/context.h"

namespace lifecycle::http {

/// Tells handlers that the shutdown has been announced, by a context. Taking the announcement back does not undo that
/// context: later callers get a new one.
///
/// All functions may be called from every thread.
class Announcement {
public:
    /// The context is done at the latest when `cut` is.
    Announcement(const Phase& phase, const Context& cut) : phase_(phase), cut_(cut), current_(withCancel(cut)) {}

    Context context() const {
        const std::lock_guard lock(mutex_);
        return current_.context;
    }

    /// To be called after the phase has changed, as takeBack(). Allocates nothing. Callbacks run on this thread.
    void make() { current().cancel("shutdown"); }

    void takeBack() {
        {
            const std::lock_guard lock(mutex_);
            current_ = withCancel(cut_);
        }
        if (phase_.isLeaving()) {
            make();  // It has been announced again meanwhile, or could not be taken back.
        }
    }

private:
    CancelableContext current() const {
        const std::lock_guard lock(mutex_);
        return current_;
    }

    const Phase& phase_;
    const Context cut_;
    mutable std::mutex mutex_;
    CancelableContext current_;  // guarded by mutex_
};

}  // namespace lifecycle::http
