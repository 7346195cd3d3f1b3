#include "http/framing/head_buffer.h"

#include <algorithm>

namespace lifecycle::http {

void HeadBuffer::append(std::string_view bytes) {
    bytes_.erase(0, next_);
    next_ = 0;
    bytes_.append(bytes);
}

void HeadBuffer::putBack(std::string_view bytes) {
    bytes_.replace(0, next_, bytes);
    next_ = 0;
}

RequestHead::State HeadBuffer::parseHead() {
    next_ = std::min(bytes_.find_first_not_of("\r\n", next_), bytes_.size());
    const RequestHead::State state = head_.parse(unread());
    inHead_ = state == RequestHead::State::complete;
    forgetRead();
    return state;
}

void HeadBuffer::endHead() {
    next_ += head_.size();
    head_.clear();
    inHead_ = false;
    forgetRead();
}

std::size_t HeadBuffer::read(char* buffer, std::size_t length, bool peek) {
    const std::size_t count = std::min(size(), length);
    std::copy_n(bytes_.data() + next_, count, buffer);
    if (!peek) {
        drop(count);
    }
    return count;
}

std::size_t HeadBuffer::drop(std::size_t count) {
    const std::size_t dropped = std::min(size(), count);
    next_ += dropped;
    forgetRead();
    return dropped;
}

/// An idle connection must not keep a large buffer.
void HeadBuffer::forgetRead() {
    constexpr std::size_t worthKeeping = 4096;
    if (!empty()) {
        return;
    }
    bytes_.clear();
    next_ = 0;
    if (bytes_.capacity() > worthKeeping) {
        bytes_.shrink_to_fit();
    }
}

}  // namespace lifecycle::http
