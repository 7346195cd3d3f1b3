#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sample.h"

namespace lifecycle::bench {

/// What a value should be.
struct Target {
    enum class Kind { atMost, atLeast };

    Kind kind;
    double limit;

    bool reachedBy(double value) const {
        return kind == Kind::atMost ? value <= limit : value >= limit;
    }
};

inline Target atMost(double limit) { return {Target::Kind::atMost, limit}; }
inline Target atLeast(double limit) { return {Target::Kind::atLeast, limit}; }

/// One value of a figure: what was measured on one of the contestants, or a ratio of two.
struct Line {
    struct Spread {
        double low;
        double high;
    };

    std::string name;
    std::string unit;  ///< empty for a ratio
    double value = 0;
    std::optional<Spread> spread{};  ///< the middle half of the runs; for a value that has one
    std::size_t runs = 0;
    std::optional<Target> target{};

    bool missed() const { return target && !target->reachedBy(value); }
};

/// The median of the runs and their spread.
Line medianLine(std::string name, std::string unit, const Sample& sample,
                std::optional<Target> target = {});

/// The sum of the runs, for what is counted.
Line sumLine(std::string name, std::string unit, const Sample& sample,
             std::optional<Target> target = {});

/// The ratio of the two medians.
Line ratioLine(std::string name, const Sample& sample, const Sample& baseline,
               std::optional<Target> target = {});

/// A question, and the values that answer it.
struct Figure {
    std::string name;     ///< for --only and JSON
    std::string meaning;  ///< one line for people
    std::vector<Line> lines{};
    std::vector<std::string> notes{};  ///< what a reader must know, such as what was left out
    bool failed = false;  ///< it could not be measured; a note says why
};

/// How much work to put into a figure.
struct Effort {
    bool quick = false;
    bool peers = false;  ///< measure nginx and HAProxy as well, where they are installed

    /// `runs`, or a few of them when it should be quick.
    int runs(int thorough, int inAHurry) const { return quick ? inAHurry : thorough; }
};

}  // namespace lifecycle::bench
