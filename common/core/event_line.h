#pragma once

#include <string>
#include <string_view>

#include "lifecycle/duration.h"
#include "lifecycle/event_log.h"

namespace lifecycle::detail {

/// Appends `+1.204s word`: the beginning of an event's line.
void appendWord(std::string& line, Duration elapsed, std::string_view word);

/// Appends ` key=value`, escaped and shortened as EventLog promises. Leaves the field out if the line would get longer
/// than PIPE_BUF: a pipe might take a part of it, and make the writer wait for the rest.
void appendField(std::string& line, const EventField& field);

}  // namespace lifecycle::detail
