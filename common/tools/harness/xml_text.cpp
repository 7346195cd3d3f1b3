#include "xml_text.h"

#include <Poco/UTF8Encoding.h>

namespace lifecycle::test {

namespace {

/// In bytes; 0 if the text begins with none, or with one that XML does not allow. Source:
/// https://www.w3.org/TR/xml/#charsets
std::size_t sizeOfCharacter(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) {
        return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
    }
    const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    const std::string_view character = text.substr(0, size);
    const bool legal = character.size() == size &&
                       Poco::UTF8Encoding::isLegal(reinterpret_cast<const unsigned char*>(character.data()),
                                                   static_cast<int>(size));
    return legal && character != "\xef\xbf\xbe" && character != "\xef\xbf\xbf" ? size : 0;
}

}  // namespace

std::string toXml(std::string_view text) {
    std::string result;
    for (std::size_t size = 1; !text.empty(); text.remove_prefix(size)) {
        const char c = text.front();
        size = sizeOfCharacter(text);
        if (size == 0) {
            result += "\xef\xbf\xbd";
            size = 1;
            continue;
        }
        switch (c) {
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '&':
                result += "&amp;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                result += text.substr(0, size);
        }
    }
    return result;
}

}  // namespace lifecycle::test
