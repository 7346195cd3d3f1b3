#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>

namespace lifecycle::http {

/// Longer headers are refused. Poco's own limits, 100 fields of 8 KiB, are checked behind it.
inline constexpr std::size_t longestHead = 64 * 1024;

/// Where a request's header ends: behind its first empty line. npos if that has not come yet. Lines end
/// with CRLF, or with LF alone; empty lines in front are skipped. RFC 9112, 2.2.
std::size_t headEnd(std::string_view bytes);

/// Two servers in a row that disagree on where a request ends can be made to take a part of one for the
/// next one (request smuggling). So a header that leaves room for that is refused: the status, or nothing
/// if all is clear. RFC 9112, 5.1, 5.2, 6.3 and 11.2.
///
/// To be asked before Poco parses it: Poco decodes words such as "=?utf-8?q?chunked?=" in every field.
std::optional<Poco::Net::HTTPResponse::HTTPStatus> whyRefused(std::string_view head);

/// The client says that this is its last request: `close` is among the options of its Connection header.
bool asksForClose(const Poco::Net::HTTPRequest& request);

}  // namespace lifecycle::http
