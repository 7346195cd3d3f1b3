#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lifecycle::http {

/// What a client has sent and nobody has read yet: it collects a request's header until that is whole,
/// and then gives exactly that to its reader. What follows comes behind endHead(): a body, or the next
/// request.
///
/// Not for several threads.
class HeadBuffer {
public:
    bool empty() const { return next_ == bytes_.size(); }
    std::size_t size() const { return bytes_.size() - next_; }
    std::string_view unread() const { return std::string_view(bytes_).substr(next_); }

    /// What has been received. A header that is not whole is kept, however long.
    void append(std::string_view bytes);

    /// Gives back what was read too much, to be read again before the rest.
    void putBack(std::string_view bytes);

    /// If a whole header is there, reads end behind it until endHead(), and head() is it. Empty lines in
    /// front of it are dropped, whether it is there or not. RFC 9112, 2.2.
    bool beginHead();

    bool inHead() const { return inHead_; }
    std::string_view head() const { return std::string_view(bytes_).substr(next_, headEnd_ - next_); }

    /// Reads go on behind the header. False if not all of it had been read.
    [[nodiscard]] bool endHead();

    /// Copies as many bytes as there are and fit; they are read unless this is only a look.
    std::size_t read(char* buffer, std::size_t length, bool peek);

private:
    void lengthenLines();
    void forgetRead();

    std::string bytes_;
    std::size_t next_ = 0;  // the first one that is unread
    bool inHead_ = false;
    std::size_t headEnd_ = 0;  // in bytes_, while inHead_
};

}  // namespace lifecycle::http
