#include "temp_dir.h"

#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace lifecycle::test {

TempDir::TempDir() : TempDir(std::filesystem::temp_directory_path()) {}

TempDir TempDir::inMemory() {
    constexpr const char* memory = "/dev/shm";
    return TempDir(::access(memory, W_OK) == 0 ? memory : std::filesystem::temp_directory_path());
}

TempDir::TempDir(const std::filesystem::path& parent) {
    std::string name = (parent / "lifecycle-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::system_error(errno, std::generic_category(), "mkdtemp " + name);
    }
    path_ = name;
}

TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path TempDir::write(const std::string& name, const std::string& content) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream stream(file, std::ios::binary);
    stream << content;
    if (!stream.flush()) {
        throw std::runtime_error("cannot write " + file.string());
    }
    return file;
}

} // namespace lifecycle::test
