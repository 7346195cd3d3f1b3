#pragma once

#include "console_block.h"

#include <string>
#include <vector>

namespace lifecycle::readme {

/// A README on disk, by lines.
class ReadmeFile {
public:
    /// Throws std::runtime_error when the file cannot be read.
    explicit ReadmeFile(std::string name);

    const std::string& name() const { return name_; }
    std::vector<ConsoleBlock> blocks() const { return findConsoleBlocks(lines_); }

    /// Puts other lines into a block. Those below it move: go from the last block to the first.
    void replace(const ConsoleBlock& block, const std::vector<std::string>& content);

    /// Throws std::runtime_error when the file cannot be written.
    void save() const;

private:
    const std::string name_;
    std::vector<std::string> lines_;
};

} // namespace lifecycle::readme
