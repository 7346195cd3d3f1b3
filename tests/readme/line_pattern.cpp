#include "line_pattern.h"

#include "normalise.h"

#include <string_view>
#include <utility>

namespace lifecycle::readme {

namespace {

constexpr std::string_view anyText = "[..]";

/// Glob matching with `[..]` for `*`: the first piece at the front, the last at the end, those
/// between at the first place where they occur.
bool fitsLiterally(std::string_view shown, std::string_view printed) {
    auto wildcard = shown.find(anyText);
    if (wildcard == std::string_view::npos) {
        return shown == printed;
    }
    if (!printed.starts_with(shown.substr(0, wildcard))) {
        return false;
    }
    printed.remove_prefix(wildcard);
    shown.remove_prefix(wildcard + anyText.size());
    while ((wildcard = shown.find(anyText)) != std::string_view::npos) {
        const auto found = printed.find(shown.substr(0, wildcard));
        if (found == std::string_view::npos) {
            return false;
        }
        printed.remove_prefix(found + wildcard);
        shown.remove_prefix(wildcard + anyText.size());
    }
    return printed.ends_with(shown);
}

} // namespace

ComparedLine::ComparedLine(std::string line)
    : text(std::move(line)), normalised(normalise(text)) {}

bool standsForAnyLines(const ComparedLine& shown) {
    return shown.normalised == "[...]";
}

bool fits(const ComparedLine& shown, const ComparedLine& printed) {
    // As they are first: `+[..]s ready` and `pid=[..]` are spelled with wildcards where normalised
    // text has other words.
    return fitsLiterally(shown.text, printed.text) ||
           fitsLiterally(shown.normalised, printed.normalised);
}

} // namespace lifecycle::readme
