#pragma once

#include <map>
#include <string>

#include "timeline.h"

namespace lifecycle::timeline {

/// How a kind is shown: as a word, as a letter in the text form, and in the SVG by colour and by pattern, so that
/// no reader depends on colours.
struct Look {
    std::string word;
    char letter;
    std::string colour;      ///< on a light page
    std::string darkColour;  ///< on a dark one
    std::string pattern;  ///< lines over the colour, as an SVG path in a tile of 6 by 6; may be empty
};

const Look& lookOf(Kind kind);

/// Whether bars of this kind are requests of clients.
bool isRequest(Kind kind);

/// How many bars of each kind there are.
std::map<Kind, int> countKinds(const Timeline& timeline);

}  // namespace lifecycle::timeline
