#pragma once

#include <string>

namespace lifecycle::http {

/// Where the bytes of a body come from, and its trailer fields go to.
class ByteSource {
public:
    /// Reads some bytes; 0 at the end of the connection. Blocks, and throws if the client sends nothing in time.
    virtual int readBody(char* buffer, int length) = 0;

    /// Reads one; -1 at the end of the connection.
    virtual int nextByte() = 0;

    /// The client has closed its side, and that has been read.
    virtual bool endOfStream() const = 0;

    virtual void addTrailer(const std::string& name, const std::string& value) = 0;

protected:
    ~ByteSource() = default;
};

}  // namespace lifecycle::http
