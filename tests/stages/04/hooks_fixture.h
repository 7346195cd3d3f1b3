#pragma once

#include "order_fixture.h"

#include <chrono>
#include <string>
#include <vector>

namespace lifecycle::test {

/// What the events say about the hooks.
struct HooksFixture : OrderFixture {
    using OrderFixture::OrderFixture;

    /// "ok", "failed" and so on, for each hook that `report` could tell about.
    std::string told(const std::string& hook) const {
        for (const Event& used : server.events("plan.used")) {
            if (used.field("hook") == hook) {
                return used.field("status");
            }
        }
        return "not told";
    }

    void waitForHook(const std::string& name) const {
        server.waitForEvent("hook.begin", std::chrono::seconds(10), [&](const Event& event) { return event.field("name") == name; });
    }
};

inline const std::vector<std::string> allHooks{"readiness", "lame-duck", "listener", "in-flight", "orders", "servers", "report"};

} // namespace lifecycle::test
