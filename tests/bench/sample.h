#pragma once

#include <cstddef>
#include <vector>

namespace lifecycle::bench {

/// One quantity, measured several times. Described by its median and its middle half: unlike the
/// mean, they do not move because the machine was busy with something else for one of the runs.
class Sample {
public:
    void add(double value) { values_.push_back(value); }

    std::size_t count() const { return values_.size(); }
    double sum() const;
    double median() const { return quantile(0.5); }
    double lowerQuartile() const { return quantile(0.25); }
    double upperQuartile() const { return quantile(0.75); }

    /// Run by run. Two runs made one right after the other met the same machine, so their ratio
    /// says more than each of them. Requires as many runs in `other`.
    Sample dividedBy(const Sample& other) const;

private:
    double quantile(double fraction) const;

    std::vector<double> values_;
};

}  // namespace lifecycle::bench
