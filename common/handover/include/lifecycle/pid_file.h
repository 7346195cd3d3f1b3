#pragma once

#include <string>
#include <utility>

namespace lifecycle {

/// A file that says which process serves: `kill -HUP $(cat FILE)`.
///
/// Whoever reads it finds a whole number at any moment: it is written beside and renamed into place.
/// When generations follow each other, the new one writes it as soon as it serves, and the old one
/// leaves it alone. All functions may be called from every thread, concurrently.
class PidFile {
public:
    /// No file if the path is empty. Does nothing yet.
    explicit PidFile(std::string path) : path_(std::move(path)) {}

    /// Writes the own pid. Blocks at most 20 ms, apart from the disk. Throws std::system_error that names
    /// the file.
    void write() const;

    /// Removes the file if it still holds the own pid. Blocks at most 20 ms.
    void remove() const noexcept;

private:
    const std::string path_;
};

}  // namespace lifecycle
