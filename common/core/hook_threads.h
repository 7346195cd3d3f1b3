#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace lifecycle::detail {

/// Threads that are started beforehand and wait for hooks, one per hook: enough even if all hooks are abandoned. The
/// thread that was busy last is taken first. Used by one thread at a time.
class HookThreads {
public:
    HookThreads() = default;

    /// Waits for the threads that ran something.
    ~HookThreads();

    HookThreads(const HookThreads&) = delete;
    HookThreads& operator=(const HookThreads&) = delete;

    /// Starts one more. Throws std::system_error if the system has none left.
    void addOne();

    /// Runs `task` on a waiting thread; false if there is none. Does not block.
    bool run(std::function<void()> task);

    /// Ends the threads that ran something, and waits for them; without `waitForAll`, not for those that still do.
    /// The destructor ends the others without waiting: they have touched nothing.
    void endUsed(bool waitForAll);

private:
    struct Thread {
        std::thread thread;          // used by the owner of the threads
        std::condition_variable wake;
        std::function<void()> task;  // guarded by Shared::mutex, like what follows
        bool isUsed = false;
        bool isEnding = false;
    };
    struct Shared {
        std::mutex mutex;
        std::vector<Thread*> idle;  // guarded by mutex; last, the one that was busy last
    };

    static void work(Shared& shared, Thread& self);
    void end(bool waitForAll, const std::function<bool(const Thread&)>& condition);

    const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();  // held by abandoned threads, too
    std::vector<std::shared_ptr<Thread>> threads_;
};

}  // namespace lifecycle::detail
