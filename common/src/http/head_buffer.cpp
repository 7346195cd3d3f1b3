#include "http/head_buffer.h"

#include <algorithm>

#include "http/request_head.h"

namespace lifecycle::http {
namespace {

constexpr auto lineEnds = "\r\n";

}  // namespace

void HeadBuffer::append(std::string_view bytes) {
    bytes_.erase(0, next_);
    next_ = 0;
    bytes_.append(bytes);
}

void HeadBuffer::putBack(std::string_view bytes) {
    bytes_.replace(0, next_, bytes);
    next_ = 0;
}

bool HeadBuffer::beginHead() {
    // Some clients send an empty line behind a body. Poco takes one in front for the end of the header.
    next_ = std::min(bytes_.find_first_not_of(lineEnds, next_), bytes_.size());
    const std::size_t end = headEnd(unread());
    if (end == std::string_view::npos) {
        forgetRead();
        return false;
    }
    headEnd_ = next_ + end;
    inHead_ = true;
    lengthenLines();
    return true;
}

/// Poco reads a line in pieces of 4092 bytes, and takes a piece of two bytes for the empty line: a cookie of
/// that length would end the header. One blank more in front of a value changes nothing else.
void HeadBuffer::lengthenLines() {
    constexpr std::size_t piece = 4092;
    for (std::size_t begin = next_; begin < headEnd_;) {
        std::size_t end = bytes_.find('\n', begin) + 1;
        const std::size_t colon = bytes_.find(':', begin);
        if (end - begin > piece && (end - begin) % piece == 2 && colon < end) {
            bytes_.insert(colon + 1, 1, ' ');
            ++end;
            ++headEnd_;
        }
        begin = end;
    }
}

bool HeadBuffer::endHead() {
    const bool allIsRead = next_ == headEnd_;
    inHead_ = false;
    forgetRead();
    return allIsRead;
}

std::size_t HeadBuffer::read(char* buffer, std::size_t length, bool peek) {
    const std::size_t there = (inHead_ ? headEnd_ : bytes_.size()) - next_;
    const std::size_t count = std::min(there, length);
    std::copy_n(bytes_.data() + next_, count, buffer);
    if (!peek) {
        next_ += count;
        forgetRead();
    }
    return count;
}

/// Of a connection that is idle for long nothing large is kept.
void HeadBuffer::forgetRead() {
    constexpr std::size_t worthKeeping = 4096;
    if (inHead_ || !empty()) {
        return;
    }
    bytes_.clear();
    next_ = 0;
    if (bytes_.capacity() > worthKeeping) {
        bytes_.shrink_to_fit();
    }
}

}  // namespace lifecycle::http
