#pragma once

#include <string_view>

namespace stage {

/// The text of admin_page.html, which is built into the program.
extern const std::string_view adminPage;

}  // namespace stage
