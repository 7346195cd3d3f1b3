#pragma once

#include <string>

#include "lifecycle/event_log.h"
#include "admin/lifecycle_status.h"

namespace stage {

// One snapshot in three languages.

/// For programs, and for the page: one line of JSON, valid whatever clients have sent.
std::string toJson(const StatusSnapshot& status);

/// For Prometheus: its text format 0.0.4.
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
std::string toMetrics(const StatusSnapshot& status);

/// For people at a terminal: `status`, `status.request` for each request in flight, `status.hook` for
/// each hook.
void toEvents(const StatusSnapshot& status, lifecycle::EventLog& events);

}  // namespace stage
