#pragma once

#include <string>
#include <vector>

#include "figure.h"
#include "sample.h"

namespace lifecycle::bench {

/// A quantity against a number of clients, for several servers.
struct Chart {
    struct Point {
        int clients;
        Sample sample;
    };
    struct Curve {
        std::string name;
        std::vector<Point> points{};
    };

    std::string name;   ///< of the figure
    std::string title;
    std::string unit;
    std::vector<Curve> curves{};
    std::vector<std::string> notes{};
};

/// Its values as lines of the table.
Figure asFigure(const Chart& chart);

/// The charts one below the other, both axes logarithmic. Curves differ by their dashes and marks as
/// well as by colour.
std::string svg(const std::vector<Chart>& charts);

}  // namespace lifecycle::bench
