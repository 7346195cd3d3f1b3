#include "name_lookup.h"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>
#include <Poco/Net/IPAddress.h>

namespace stage {

struct NameLookup::State {
    const std::string host;
    const std::uint16_t port;
    std::mutex mutex{};
    std::condition_variable changed{};
    bool running = false;       // the rest is guarded by mutex
    std::uint64_t lookups = 0;  // that have finished
    Addresses addresses{};      // of the last one
    std::string error{};        // of the last one, "" if it has found some

    void lookUp() noexcept {
        Addresses found;
        std::string failure;
        try {
            const Poco::Net::HostEntry entry = Poco::Net::DNS::hostByName(host);
            for (const Poco::Net::IPAddress& address : entry.addresses()) {
                found.emplace_back(address, port);
            }
        } catch (const Poco::Exception& problem) {
            failure = problem.displayText();
        } catch (const std::exception& problem) {
            failure = problem.what();
        }
        const std::lock_guard lock(mutex);
        running = false;
        ++lookups;
        addresses = std::move(found);
        error = addresses.empty() && failure.empty() ? host + " has no address" : std::move(failure);
        changed.notify_all();
    }
};

NameLookup::NameLookup(std::string host, std::uint16_t port)
    : state_(new State{std::move(host), port}) {}

NameLookup::Addresses NameLookup::find(const lifecycle::Context& context) const {
    if (Poco::Net::IPAddress address; Poco::Net::IPAddress::tryParse(state_->host, address)) {
        return {{address, state_->port}};
    }
    // Before the lock: it is called here and now if the context is done, and it takes the lock.
    const auto wake = context.onDone([state = state_] {
        const std::lock_guard lock(state->mutex);
        state->changed.notify_all();
    });
    std::unique_lock lock(state_->mutex);
    const std::uint64_t before = state_->lookups;
    if (!state_->running) {
        std::thread([state = state_] { state->lookUp(); }).detach();
        state_->running = true;
    }
    state_->changed.wait(lock, [&] { return state_->lookups != before || context.done(); });
    if (state_->lookups == before) {
        throw std::runtime_error("looking up " + state_->host + ": " + context.cause());
    }
    if (!state_->error.empty()) {
        throw std::runtime_error(state_->error);
    }
    return state_->addresses;
}

}  // namespace stage
