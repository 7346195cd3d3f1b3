#pragma once

#include "catch.h"

#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace lifecycle::test {

/// A pipe as a log's reader sees it.
class LogPipe {
public:
    LogPipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        reader_ = FileDescriptor(ends[0]);
        writer_ = FileDescriptor(ends[1]);
        ::fcntl(reader_.get(), F_SETFL, O_NONBLOCK);
    }

    int writer() const { return writer_.get(); }

    /// Writes dots until nothing more fits.
    void fill() {
        // Opened anew: O_NONBLOCK on this end alone, not on the one the log writes to.
        const std::string name = "/proc/self/fd/" + std::to_string(writer_.get());
        const FileDescriptor filler(::open(name.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        const std::string page(4096, '.');
        while (::write(filler.get(), page.data(), page.size()) > 0) {
        }
    }

    std::string read(std::size_t most = 1 << 20) {
        std::string all;
        std::array<char, 4096> bytes;
        while (all.size() < most) {
            const auto count = ::read(reader_.get(), bytes.data(), std::min(bytes.size(), most - all.size()));
            if (count <= 0) {
                break;
            }
            all.append(bytes.data(), static_cast<std::size_t>(count));
        }
        return all;
    }

    void closeReader() { reader_.reset(); }

private:
    FileDescriptor reader_;
    FileDescriptor writer_;
};

inline std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all;
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        all.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    CHECK(begin == text.size()); // the last line is whole
    return all;
}

} // namespace lifecycle::test
