#include "lifecycle/context.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "core/timer_queue.h"

namespace lifecycle {

std::string_view toString(ContextError error) {
    switch (error) {
        case ContextError::none:
            return "";
        case ContextError::canceled:
            return "canceled";
        case ContextError::deadlineExceeded:
            return "deadline exceeded";
    }
    return "";
}

/// What all copies of a context share. A child holds its parent; the parent knows its children only
/// as stop callbacks, which unregister themselves when a child is destroyed.
struct Context::State : std::enable_shared_from_this<Context::State> {
    State(std::shared_ptr<State> parentState, std::optional<TimePoint> end)
        : parent(std::move(parentState)), deadline(end) {}

    ~State() {
        if (timer) {
            detail::TimerQueue::instance().cancel(*timer);
        }
    }

    /// The second step of construction: both callbacks need a weak pointer to this.
    void watch(bool ownDeadline, std::string deadlineCause) {
        if (parent) {
            parentDone.emplace(parent->source.get_token(), FollowParent{this});
            // Its end may be on its way to its children, and whoever has seen it must see ours too.
            if (parent->error.load() != ContextError::none) {
                end(parent->error.load(), parent->why());
            }
        }
        if (ownDeadline && *deadline <= Clock::now()) {
            end(ContextError::deadlineExceeded, std::move(deadlineCause));
        } else if (ownDeadline) {
            timer = detail::TimerQueue::instance().schedule(
                *deadline, [weak = weak_from_this(), cause = std::move(deadlineCause)] {
                    if (const auto self = weak.lock()) {
                        self->end(ContextError::deadlineExceeded, cause);
                    }
                });
        }
    }

    void end(ContextError reason, std::string text) {
        {
            const std::lock_guard lock(mutex);
            if (error.load() != ContextError::none) {
                return;
            }
            cause = text.empty() ? std::string(toString(reason)) : std::move(text);
            error.store(reason);
        }
        ended.notify_all();
        source.request_stop();  // last: it runs callbacks and ends the children
    }

    std::string why() const {
        const std::lock_guard lock(mutex);
        return cause;
    }

    struct FollowParent {
        State* child;
        void operator()() const {
            // A callback of the child may drop the last handle to it; this keeps it alive until
            // end() returns. Null: the child is being destroyed already, on another thread.
            if (const auto self = child->weak_from_this().lock()) {
                self->end(self->parent->error.load(), self->parent->why());
            }
        }
    };

    const std::shared_ptr<State> parent;
    const std::optional<TimePoint> deadline;
    std::stop_source source;
    mutable std::mutex mutex;
    std::condition_variable ended;
    std::atomic<ContextError> error = ContextError::none;  // written under mutex
    std::string cause;                                     // guarded by mutex
    std::optional<detail::TimerQueue::Handle> timer;
    std::optional<std::stop_callback<FollowParent>> parentDone;  // last: destroyed first
};

Context::Context(std::shared_ptr<State> state) : state_(std::move(state)) {}

Context Context::background() {
    return Context(nullptr);
}

bool Context::done() const noexcept {
    return err() != ContextError::none;
}

ContextError Context::err() const noexcept {
    return state_ ? state_->error.load() : ContextError::none;
}

std::string Context::cause() const {
    return state_ ? state_->why() : std::string();
}

std::optional<TimePoint> Context::deadline() const noexcept {
    return state_ ? state_->deadline : std::nullopt;
}

Duration Context::remaining() const noexcept {
    if (done()) {
        return Duration::zero();
    }
    const auto end = deadline();
    return end ? std::max(Duration::zero(), *end - Clock::now()) : Duration::max();
}

void Context::wait() const {
    if (!state_) {
        for (;;) {
            std::this_thread::sleep_for(std::chrono::hours(24));
        }
    }
    std::unique_lock lock(state_->mutex);
    state_->ended.wait(lock, [this] { return done(); });
}

bool Context::waitUntil(TimePoint until) const {
    if (!state_) {
        std::this_thread::sleep_until(until);
        return false;
    }
    std::unique_lock lock(state_->mutex);
    return state_->ended.wait_until(lock, until, [this] { return done(); });
}

bool Context::waitFor(Duration duration) const {
    return waitUntil(addSaturated(Clock::now(), duration));
}

std::stop_token Context::token() const noexcept {
    return state_ ? state_->source.get_token() : std::stop_token();
}

DoneCallback Context::onDone(std::function<void()> callback) const {
    // A callback that unregisters itself destroys its registration; this keeps it alive meanwhile.
    auto shared = std::make_shared<const std::function<void()>>(std::move(callback));
    return DoneCallback(std::make_unique<DoneCallback::Registration>(
        token(), [shared = std::move(shared)] {
            const auto keep = shared;
            (*keep)();
        }));
}

CancelFunction::CancelFunction(std::shared_ptr<Context::State> state) : state_(std::move(state)) {}

void CancelFunction::operator()(std::string cause) const {
    const auto state = state_;  // a callback may destroy this function
    state->end(ContextError::canceled, std::move(cause));
}

CancelableContext withCancel(const Context& parent) {
    auto state = std::make_shared<Context::State>(parent.state_, parent.deadline());
    state->watch(false, {});
    return {Context(state), CancelFunction(state)};
}

CancelableContext withDeadline(const Context& parent, TimePoint deadline, std::string cause) {
    const std::optional<TimePoint> inherited = parent.deadline();
    // The parent's end comes first: its own timer will end this context too, with its cause.
    const bool own = !inherited || deadline < *inherited;
    auto state = std::make_shared<Context::State>(parent.state_, own ? deadline : *inherited);
    state->watch(own, std::move(cause));
    return {Context(state), CancelFunction(state)};
}

CancelableContext withTimeout(const Context& parent, Duration timeout, std::string cause) {
    return withDeadline(parent, addSaturated(Clock::now(), timeout), std::move(cause));
}

}  // namespace lifecycle
