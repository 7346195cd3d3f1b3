#include "lifecycle/wait_group.h"

#include "core/quiet_thread.h"

namespace lifecycle {

bool WaitGroup::go(std::function<void()> work) {
    std::optional<Guard> guard = tryAdd();
    if (!guard) {
        return false;
    }
    detail::startQuietThread("background", [guard = std::move(*guard), work = std::move(work)]() mutable {
        work();
        work = nullptr;  // what the work holds is gone before it counts as done
    }).detach();
    return true;
}

}  // namespace lifecycle
