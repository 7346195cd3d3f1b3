#pragma once

#include <vector>

#include "lifecycle/listening_socket.h"
#include "settings.h"

namespace stage {

/// Removes the paths of the Unix sockets that this process has created if an exception ends it before it serves.
class StartGuard {
public:
    StartGuard() = default;
    ~StartGuard() {
        if (opened_ != nullptr) {
            removePaths(*opened_);
        }
    }
    StartGuard(const StartGuard&) = delete;
    StartGuard& operator=(const StartGuard&) = delete;

    /// `sockets` must outlive this object.
    void opened(const std::vector<lifecycle::ListeningSocket>& sockets) { opened_ = &sockets; }
    void serving() { opened_ = nullptr; }

private:
    const std::vector<lifecycle::ListeningSocket>* opened_ = nullptr;
};

}  // namespace stage
