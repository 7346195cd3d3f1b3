#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace lifecycle::readme {

/// A mistake in how a README is written. Its text begins with the line number.
class SyntaxError : public std::runtime_error {
public:
    SyntaxError(std::size_t line, const std::string& what)
        : std::runtime_error("line " + std::to_string(line) + ": " + what) {}
};

/// What the info string of a block says behind the word `console`:
///
///     ```console any-order timeout=300s skip-if-missing=docker
struct BlockOptions {
    /// Compare the output of each step without regard to the order of its lines.
    bool anyOrder = false;
    /// How long one step may take (`timeout=300s`, `timeout=5m`).
    std::chrono::seconds stepTimeout{20};
    /// Skip the block where one of these commands is missing (`skip-if-missing=docker,curl`).
    std::vector<std::string> neededCommands{};
};

/// A fenced block of a markdown file that is tagged `console`.
struct ConsoleBlock {
    BlockOptions options;
    /// Number of the first line of its content, counted from 1 as editors do.
    std::size_t firstLine = 0;
    /// Width of the indentation in front of the fence, which belongs to no line.
    std::size_t indent = 0;
    std::vector<std::string> lines;
};

/// Finds every console block, in order. Throws SyntaxError for an option that does not exist and
/// for a fence that is never closed.
std::vector<ConsoleBlock> findConsoleBlocks(const std::vector<std::string>& markdown);

} // namespace lifecycle::readme
