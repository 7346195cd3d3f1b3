#include "admin/status_signal.h"

#include <pthread.h>

#include <array>
#include <utility>

#include "lifecycle/signals.h"

namespace stage {

StatusSignal::StatusSignal(std::function<void()> tell) : tell_(std::move(tell)) {
    thread_ = std::thread([this] {
        constexpr std::array numbers{number};
        for (;;) {
            lifecycle::waitForSignal(numbers);
            if (stop_) {
                return;
            }
            tell_();
        }
    });
}

StatusSignal::~StatusSignal() {
    stop_ = true;
    ::pthread_kill(thread_.native_handle(), number);
    thread_.join();
}

}  // namespace stage
