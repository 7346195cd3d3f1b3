#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <Poco/Net/HTTPResponse.h>

namespace lifecycle::http {

/// Where a request's head ends: after its first empty line. npos if that has not arrived yet. Lines end
/// with CRLF, or with LF alone; empty lines before it are skipped. RFC 9112, 2.2.
std::size_t headEnd(std::string_view bytes);

/// A request's head: request line and header fields, parsed while its bytes arrive, and strictly. Two servers
/// in a row that disagree on where a request ends can be made to take a part of one for the next one
/// (request smuggling), so any ambiguous head is malformed. RFC 9112, 2.2, 3, 5.1, 5.2, 6.3, 9.3, 11.2.
///
/// A head is malformed as soon as no further byte could make it valid: what is not HTTP at all, such as a TLS
/// handshake, gets its 400 at once instead of holding the connection until a time limit.
///
/// What it returns are parts of the bytes that were passed to parse() last.
class RequestHead {
public:
    enum class State { incomplete, complete, malformed };
    using Status = Poco::Net::HTTPResponse::HTTPStatus;

    /// Continues with `bytes`: all of them from the first byte of the request line, those of the last call included.
    State parse(std::string_view bytes);

    /// The response to a malformed one.
    Status status() const { return status_; }

    /// Of a complete one, with the empty line.
    std::size_t size() const { return lineBegin_; }

    std::string_view method() const { return of(method_); }
    std::string_view target() const { return of(target_); }
    std::string_view version() const { return of(version_); }

    std::size_t fieldCount() const { return fields_.size(); }
    std::string_view fieldName(std::size_t number) const { return of(fields_[number].name); }
    std::string_view fieldValue(std::size_t number) const { return of(fields_[number].value); }

    /// Of a target such as "http://host/path"; it takes precedence over the Host field.
    std::optional<std::string_view> authority() const { return authority_ ? std::optional(of(*authority_)) : std::nullopt; }

    /// The body's length; nothing if it is chunked.
    std::optional<std::uint64_t> bodyLength() const { return coding_ ? std::nullopt : std::optional(length_.value_or(0)); }

    /// The client may send another request on this connection.
    bool isPersistent() const;

    /// Forgets all, to begin with the next one.
    void clear();

private:
    struct Part {
        std::uint32_t begin = 0;
        std::uint32_t size = 0;
    };
    struct Field {
        Part name;
        Part value;
    };
    enum class Step { method, target, version, fields };

    /// Why it is malformed; nothing if it is not.
    using Fault = std::optional<Status>;

    std::string_view of(Part part) const { return bytes_.substr(part.begin, part.size); }
    Part partOf(std::string_view text) const;
    Fault parseRequestLine();
    Fault parseFieldLine();
    Fault parseField(std::string_view line);
    Fault checkTarget();
    Fault checkFields() const;

    std::string_view bytes_;
    State state_ = State::incomplete;
    Status status_ = Poco::Net::HTTPResponse::HTTP_BAD_REQUEST;
    Step step_ = Step::method;
    std::size_t next_ = 0;       // the first byte not looked at
    std::size_t lineBegin_ = 0;  // of the line that is not complete
    Part method_;
    Part target_;
    Part version_;
    std::optional<Part> authority_;
    std::vector<Field> fields_;
    std::optional<std::uint64_t> length_;
    std::optional<Part> coding_;
    bool hasHost_ = false;
    bool asksForClose_ = false;
    bool asksForKeepAlive_ = false;
};

}  // namespace lifecycle::http
