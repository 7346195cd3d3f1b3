#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace stage {

/// What a client orders.
struct Order {
    std::string item;            ///< UTF-8, 1 to 200 characters
    std::int64_t quantity = 0;  ///< 1 to 1,000,000
};

/// The text is no order; what() tells the client why.
class OrderError : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/// Reads `{"item":"tea","quantity":1}`: these two fields, no others. Throws OrderError.
Order parseOrder(const std::string& json);

}  // namespace stage
