#include "skip.h"

#include <atomic>
#include <iostream>

namespace lifecycle::test {
namespace {

std::atomic<bool> skipped = false;

} // namespace

void skip(const std::string& reason) {
    skipped = true;
    std::cout << "skipped: " << reason << std::endl;
}

bool isSkipped() {
    return skipped;
}

} // namespace lifecycle::test
