#include "readme_file.h"

#include <fstream>
#include <stdexcept>
#include <utility>

namespace lifecycle::readme {

ReadmeFile::ReadmeFile(std::string name) : name_(std::move(name)) {
    std::ifstream stream(name_);
    if (!stream) {
        throw std::runtime_error("cannot be read");
    }
    for (std::string line; std::getline(stream, line);) {
        lines_.push_back(line);
    }
}

void ReadmeFile::replace(const ConsoleBlock& block, const std::vector<std::string>& content) {
    const auto begin = lines_.begin() + static_cast<std::ptrdiff_t>(block.firstLine - 1);
    const auto end = begin + static_cast<std::ptrdiff_t>(block.lines.size());
    auto at = lines_.erase(begin, end);
    for (const std::string& line : content) {
        const std::string indent(line.empty() ? 0 : block.indent, ' ');
        at = lines_.insert(at, indent + line) + 1;
    }
}

void ReadmeFile::save() const {
    std::ofstream stream(name_);
    for (const std::string& line : lines_) {
        stream << line << '\n';
    }
    if (!stream.flush()) {
        throw std::runtime_error("cannot be written");
    }
}

} // namespace lifecycle::readme
