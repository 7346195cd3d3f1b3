#pragma once

#include <filesystem>
#include <string>

namespace lifecycle::test {

/// A new empty directory that is removed, with what is in it, at the end of the scope.
class TempDir {
public:
    TempDir();
    /// One in memory where there is such a file system, for times that are not those of a disk.
    static TempDir inMemory();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir();

    const std::filesystem::path& path() const { return path_; }

    /// Writes a file below the directory and returns its full path.
    std::filesystem::path write(const std::string& name, const std::string& content) const;

private:
    explicit TempDir(const std::filesystem::path& parent);

    std::filesystem::path path_;
};

} // namespace lifecycle::test
