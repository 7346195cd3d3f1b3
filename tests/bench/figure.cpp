#include "figure.h"

#include <utility>

namespace lifecycle::bench {

Line medianLine(std::string name, std::string unit, const Sample& sample,
                std::optional<Target> target) {
    return {.name = std::move(name),
            .unit = std::move(unit),
            .value = sample.median(),
            .spread = Line::Spread{sample.lowerQuartile(), sample.upperQuartile()},
            .runs = sample.count(),
            .target = target};
}

Line sumLine(std::string name, std::string unit, const Sample& sample,
             std::optional<Target> target) {
    return {.name = std::move(name),
            .unit = std::move(unit),
            .value = sample.sum(),
            .runs = sample.count(),
            .target = target};
}

Line ratioLine(std::string name, const Sample& sample, const Sample& baseline,
               std::optional<Target> target) {
    return {.name = std::move(name),
            .unit = "",
            .value = sample.median() / baseline.median(),
            .runs = sample.count(),
            .target = target};
}

}  // namespace lifecycle::bench
