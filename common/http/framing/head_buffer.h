#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http/framing/request_head.h"

namespace lifecycle::http {

/// Bytes that a client has sent and nobody has read yet. Collects a request's head until that is complete; after
/// endHead(), reads return what follows: the body, or the next request.
///
/// Not for several threads.
class HeadBuffer {
public:
    bool empty() const { return next_ == bytes_.size(); }
    std::size_t size() const { return bytes_.size() - next_; }
    std::string_view unread() const { return std::string_view(bytes_).substr(next_); }

    /// Appends received bytes. An incomplete head is kept.
    void append(std::string_view bytes);

    /// Returns bytes that were read too early, to be read again before the others.
    void putBack(std::string_view bytes);

    /// Parses what has arrived of the next head. Empty lines before it are dropped, RFC 9112, 2.2.
    RequestHead::State parseHead();

    /// Valid until endHead(), append() or putBack().
    const RequestHead& head() const { return head_; }

    /// A complete head has been parsed, and endHead() not been called.
    bool inHead() const { return inHead_; }

    /// Takes the head off; reads continue after it.
    void endHead();

    /// Copies as many bytes as there are and fit, and removes them unless this is a peek.
    std::size_t read(char* buffer, std::size_t length, bool peek);

    /// Drops at most that many bytes, and returns how many.
    std::size_t drop(std::size_t count);

private:
    void forgetRead();

    std::string bytes_;
    std::size_t next_ = 0;  // the first one that is unread
    RequestHead head_;
    bool inHead_ = false;
};

}  // namespace lifecycle::http
