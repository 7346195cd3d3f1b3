#include "no_memory.h"

#include <sys/prctl.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string_view>

namespace {

std::atomic<const char*> victim = nullptr; // the threads' name
std::atomic<int> successes = 0;
std::atomic<int> failures = 0;

bool fails() {
    const char* const name = victim.load();
    if (name == nullptr) {
        return false;
    }
    std::array<char, 16> own{};
    ::prctl(PR_GET_NAME, own.data());
    return std::string_view(own.data()) == name && successes.fetch_sub(1) <= 0 && failures.fetch_sub(1) > 0;
}

} // namespace

// All forms: a sanitizer has its own for those that are not replaced, and does not let them be mixed.

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return fails() ? nullptr : std::malloc(size);
}

void* operator new(std::size_t size) {
    void* const memory = operator new(size, std::nothrow);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    return memory;
}

void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return operator new(size, std::nothrow);
}

void* operator new[](std::size_t size) {
    return operator new(size);
}

void operator delete(void* memory) noexcept {
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

void operator delete[](void* memory) noexcept {
    std::free(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

namespace lifecycle::test {

NoMemory::NoMemory(const char* thread, int before, int count) {
    successes = before;
    failures = count;
    victim = thread;
}

NoMemory::~NoMemory() {
    victim = nullptr;
}

} // namespace lifecycle::test
