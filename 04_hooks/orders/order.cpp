#include "orders/order.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <Poco/Dynamic/Var.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/TextIterator.h>
#include <Poco/Types.h>
#include <Poco/UTF8Encoding.h>

namespace stage {
namespace {

constexpr std::size_t longestItem = 200;
constexpr std::int64_t mostOfOne = 1'000'000;

/// An order has depth 1. What is nested deeper is refused before it costs memory or stack.
constexpr std::size_t deepest = 8;

/// How many characters, or nothing if it is not UTF-8.
std::optional<std::size_t> countCharacters(const std::string& text) {
    const Poco::UTF8Encoding utf8;
    std::size_t count = 0;
    const Poco::TextIterator end(text);
    for (Poco::TextIterator character(text, utf8); character != end; ++character) {
        if (*character < 0) {
            return std::nullopt;
        }
        ++count;
    }
    return count;
}

/// For Poco 18446744073709551617 is 1: integers that fit no machine word wrap around. So they must be
/// noticed before they are numbers.
bool hasHugeNumber(const std::string& json) {
    constexpr int mostDigits = 18;
    bool inString = false;
    int digits = 0;
    for (std::size_t i = 0; i < json.size(); ++i) {
        if (inString && json[i] == '\\') {
            ++i;  // what it escapes
        } else if (json[i] == '"') {
            inString = !inString;
        }
        digits = !inString && json[i] >= '0' && json[i] <= '9' ? digits + 1 : 0;
        if (digits > mostDigits) {
            return true;
        }
    }
    return false;
}

Poco::JSON::Object::Ptr parseObject(const std::string& json) {
    if (!countCharacters(json)) {
        throw OrderError("the body is not UTF-8");
    }
    if (hasHugeNumber(json)) {
        throw OrderError("a number is too large");
    }
    try {
        Poco::JSON::Parser parser;
        parser.setDepth(deepest);
        const Poco::Dynamic::Var parsed = parser.parse(json);
        if (parsed.type() == typeid(Poco::JSON::Object::Ptr)) {
            return parsed.extract<Poco::JSON::Object::Ptr>();
        }
    } catch (const Poco::Exception&) {
        throw OrderError("the body is not JSON, or nested too deeply");
    }
    throw OrderError("the body must be a JSON object");
}

std::string itemOf(const Poco::Dynamic::Var& value) {
    if (!value.isString()) {
        throw OrderError("\"item\" must be a string");
    }
    const std::string item = value.extract<std::string>();
    const std::optional<std::size_t> length = countCharacters(item);
    if (!length || *length == 0 || *length > longestItem) {
        throw OrderError("\"item\" must have 1 to 200 characters");
    }
    return item;
}

std::int64_t quantityOf(const Poco::Dynamic::Var& value) {
    // For Poco a boolean is an integer, too.
    if (!value.isInteger() || value.isBoolean()) {
        throw OrderError("\"quantity\" must be an integer");
    }
    try {
        const auto quantity = value.convert<Poco::Int64>();
        if (quantity >= 1 && quantity <= mostOfOne) {
            return quantity;
        }
    } catch (const Poco::Exception&) {  // larger than any Int64
    }
    throw OrderError("\"quantity\" must be from 1 to 1000000");
}

}  // namespace

Order parseOrder(const std::string& json) {
    const Poco::JSON::Object::Ptr object = parseObject(json);
    for (const std::string& name : object->getNames()) {
        if (name != "item" && name != "quantity") {
            throw OrderError("unknown field; an order is {\"item\":\"tea\",\"quantity\":1}");
        }
    }
    return {itemOf(object->get("item")), quantityOf(object->get("quantity"))};
}

}  // namespace stage
