#pragma once

#include <string>
#include <utility>

namespace lifecycle {

/// A file with the pid of the active process: `kill -HUP $(cat FILE)`.
///
/// A reader finds a complete number at any moment: the file is written under a temporary name and renamed into place.
/// A new generation writes it as soon as it serves; the old one no longer touches it then. All functions may be called
/// from every thread, concurrently.
class PidFile {
public:
    /// No file if the path is empty. Does nothing yet.
    explicit PidFile(std::string path) : path_(std::move(path)) {}

    /// Writes the pid of this process. Blocks at most 20 ms, apart from the disk. Throws std::system_error that
    /// names the file.
    void write() const;

    /// Removes the file if it still holds the pid of this process. Blocks at most 20 ms.
    void remove() const noexcept;

private:
    const std::string path_;
};

}  // namespace lifecycle
