#pragma once

namespace lifecycle::http {

/// Reads what is there and drops it, up to a limit: a client that sends faster than we read must not
/// keep the loop from everybody else. False once the connection has ended. Never waits.
bool dropInput(int descriptor);

/// Answers 503 and says that nothing follows. Never waits: the answer fits into any socket buffer.
void sendBusy(int descriptor);

}  // namespace lifecycle::http
