#pragma once

#include <string_view>

namespace lifecycle::http {

// Rules of RFC 9110 and RFC 9112 that several readers share.

/// RFC 9110, 5.6.2.
bool isToken(std::string_view text);

/// RFC 9110, 5.5: no control characters but the tab. Byte 0xff is not allowed either: Poco's streams take it for the
/// end of the connection.
bool isFieldValue(std::string_view text);

/// RFC 9110, 4.2: a host and perhaps a port; "user@" is not allowed.
bool isAuthority(std::string_view text);

/// RFC 9112, 7.1.1: what follows the size of a chunk, up to the end of its line; empty, or `;name=value` any number of
/// times.
bool isChunkExtension(std::string_view text);

/// Equal, ignoring case.
bool equalsIgnoringCase(std::string_view a, std::string_view b);

/// `text` without spaces and tabs at both ends: always a part of it.
std::string_view trimmed(std::string_view text);

}  // namespace lifecycle::http
