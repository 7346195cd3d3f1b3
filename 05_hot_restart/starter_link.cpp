#include "starter_link.h"

#include <fcntl.h>

#include <utility>
#include <vector>

namespace stage {
namespace {

/// A copy of the starter's descriptor: a starter that serves clients adds itself as the last one.
lifecycle::FileDescriptor starterProcess(const std::vector<lifecycle::FileDescriptor>& older) {
    return lifecycle::FileDescriptor(older.empty() ? -1 : ::fcntl(older.back().get(), F_DUPFD_CLOEXEC, 3));
}

}  // namespace

StarterLink::StarterLink(lifecycle::PollLoop& loop, lifecycle::InheritedSockets& inherited)
    : loop_(loop),
      channel_(std::exchange(inherited.starter, std::nullopt)),
      process_(starterProcess(inherited.older)) {}

StarterLink::~StarterLink() {
    close();
    forgetProcess();
}

void StarterLink::listen(std::function<void(const lifecycle::RestartMessage&)> onMessage,
                         std::function<void()> onDisconnected) {
    if (!channel_) {
        return;
    }
    loop_.watch(channel_->descriptor(),
                [this, onMessage = std::move(onMessage), onDisconnected = std::move(onDisconnected)] {
                    while (const auto message = channel_->receive()) {
                        onMessage(*message);
                    }
                    if (channel_->ended()) {
                        close();
                        onDisconnected();
                    }
                });
}

void StarterLink::sendMessage(const lifecycle::RestartMessage& message) const {
    if (channel_) {
        channel_->send(message);
    }
}

void StarterLink::close() {
    if (channel_) {
        loop_.forget(channel_->descriptor());
        channel_.reset();
    }
}

void StarterLink::watchProcess(std::function<void()> onExited) {
    loop_.watch(process_.get(), [this, onExited = std::move(onExited)] {
        loop_.forget(process_.get());
        onExited();
    });
}

void StarterLink::forgetProcess() {
    if (process_) {
        loop_.forget(process_.get());
        process_.reset();
    }
}

}  // namespace stage
