#include "sample.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace lifecycle::bench {

double Sample::sum() const {
    return std::accumulate(values_.begin(), values_.end(), 0.0);
}

Sample Sample::dividedBy(const Sample& other) const {
    if (count() != other.count()) {
        throw std::logic_error("Sample::dividedBy: not as many runs");
    }
    Sample ratios;
    for (std::size_t i = 0; i < values_.size(); ++i) {
        ratios.add(values_[i] / other.values_[i]);
    }
    return ratios;
}

double Sample::quantile(double fraction) const {
    if (values_.empty()) {
        throw std::logic_error("Sample: no run");
    }
    std::vector<double> sorted = values_;
    std::sort(sorted.begin(), sorted.end());
    // Between two runs: the straight line between them.
    const double position = fraction * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(position));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], position - std::floor(position));
}

}  // namespace lifecycle::bench
