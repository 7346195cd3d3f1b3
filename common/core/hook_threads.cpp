#include "core/hook_threads.h"

#include <algorithm>
#include <utility>

#include "core/quiet_thread.h"

namespace lifecycle::detail {

HookThreads::~HookThreads() {
    end(true, [](const Thread&) { return true; });
}

void HookThreads::addOne() {
    const auto thread = std::make_shared<Thread>();
    thread->thread = startQuietThread("hook", [shared = shared_, thread] { work(*shared, *thread); });
    const std::lock_guard lock(shared_->mutex);
    shared_->idle.push_back(thread.get());
    threads_.push_back(thread);
}

bool HookThreads::run(std::function<void()> task) {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->idle.empty()) {
        return false;
    }
    Thread& thread = *shared_->idle.back();
    shared_->idle.pop_back();
    thread.task = std::move(task);
    thread.isUsed = true;
    thread.wake.notify_one();
    return true;
}

void HookThreads::endUsed(bool waitForAll) {
    end(waitForAll, [](const Thread& thread) { return thread.isUsed; });
}

void HookThreads::work(Shared& shared, Thread& self) {
    std::unique_lock lock(shared.mutex);
    for (;;) {
        self.wake.wait(lock, [&] { return self.task || self.isEnding; });
        if (!self.task) {
            return;
        }
        std::function<void()> task = std::exchange(self.task, nullptr);
        lock.unlock();
        task();
        task = nullptr;  // what an abandoned hook holds is released without the lock
        lock.lock();
        shared.idle.push_back(&self);
    }
}

void HookThreads::end(bool waitForAll, const std::function<bool(const Thread&)>& condition) {
    std::vector<std::thread> ended;
    {
        const std::lock_guard lock(shared_->mutex);
        for (const auto& thread : threads_) {
            if (!condition(*thread) || !thread->thread.joinable()) {
                continue;
            }
            const auto idle = std::find(shared_->idle.begin(), shared_->idle.end(), thread.get());
            thread->isEnding = true;
            thread->wake.notify_one();
            const bool isWaitedFor = thread->isUsed && (waitForAll || idle != shared_->idle.end());
            if (isWaitedFor) {
                ended.push_back(std::move(thread->thread));
            } else {
                thread->thread.detach();
            }
            if (idle != shared_->idle.end()) {
                shared_->idle.erase(idle);
            }
        }
    }
    for (std::thread& thread : ended) {
        thread.join();
    }
}

}  // namespace lifecycle::detail
