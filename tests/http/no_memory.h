#pragma once

namespace lifecycle::test {

/// While it lives, allocations of the threads with this name fail: `count` of them, after `before` others. The
/// operator new of a program that is linked with this is its own. One at a time.
class NoMemory {
public:
    NoMemory(const char* thread, int before, int count);
    ~NoMemory();

    NoMemory(const NoMemory&) = delete;
    NoMemory& operator=(const NoMemory&) = delete;
};

} // namespace lifecycle::test
