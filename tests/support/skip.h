#pragma once

#include <string>

namespace lifecycle::test {

/// Says why the running test cannot run here; it is to return then. The test program ends with 77, which
/// CTest shows as skipped, unless something has failed. For a test that goes on with the rest, print
/// "skipped: …" instead: ./lab test lists both.
void skip(const std::string& reason);

/// skip() has been called.
bool isSkipped();

} // namespace lifecycle::test
