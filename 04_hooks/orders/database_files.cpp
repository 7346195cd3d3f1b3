#include "orders/database_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string_view>

#include <Poco/Data/Session.h>

namespace stage {
namespace {

using namespace Poco::Data::Keywords;
using namespace std::string_view_literals;

/// The bytes with which a file begins; fewer if it has no more.
std::string beginning(int descriptor, std::size_t length) {
    std::string bytes(length, '\0');
    const ssize_t count = ::pread(descriptor, bytes.data(), length, 0);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

/// What SQLite finds wrong with the file through a new connection, "ok" if nothing.
std::string findingOf(const std::string& path) {
    std::string finding;
    try {
        Poco::Data::Session session("SQLite", path);
        session << "PRAGMA busy_timeout = 100", now;
        session << "PRAGMA quick_check(1)", into(finding), now;
    } catch (const Poco::Exception& error) {
        return error.displayText();
    }
    return finding;
}

}  // namespace

DatabaseFiles::DatabaseFiles(const std::string& path)
    : path_(std::filesystem::absolute(path)), lock_(path_), left_(stamps()) {}

bool DatabaseFiles::Stamp::operator==(const Stamp& other) const {
    return sameFile(other) && size == other.size && time.tv_sec == other.time.tv_sec &&
           time.tv_nsec == other.time.tv_nsec;
}

std::string DatabaseFiles::name(File file) const {
    return path_ + (file == log ? "-wal" : file == index ? "-shm" : "");
}

DatabaseFiles::Stamp DatabaseFiles::stampOf(File file) const {
    struct stat status {};
    if (::stat(name(file).c_str(), &status) == -1) {
        return {};
    }
    if (file == index) {
        return {status.st_dev, status.st_ino, 0, {}};  // It is written to by readers, too.
    }
    return {status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

DatabaseFiles::Stamps DatabaseFiles::stamps() const {
    return {stampOf(database), stampOf(log), stampOf(index)};
}

bool DatabaseFiles::inPlace() const {
    struct stat locked {};
    struct stat found {};
    return ::fstat(lock_.descriptor(), &locked) == 0 && ::stat(path_.c_str(), &found) == 0 &&
           locked.st_dev == found.st_dev && locked.st_ino == found.st_ino;
}

void DatabaseFiles::remember() {
    const Stamps found = stamps();
    const std::lock_guard lock(mutex_);
    left_ = found;
}

bool DatabaseFiles::asRemembered() const {
    const Stamps found = stamps();
    const std::lock_guard lock(mutex_);
    return found == left_;
}

bool DatabaseFiles::hasHeader() const {
    return beginning(lock_.descriptor(), 16) == "SQLite format 3\0"sv;
}

bool DatabaseFiles::logHasHeader() const {
    const int descriptor = ::open(name(log).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const std::string bytes = descriptor == -1 ? "" : beginning(descriptor, 4);
    ::close(descriptor);
    return bytes == "\x37\x7f\x06\x82"sv || bytes == "\x37\x7f\x06\x83"sv;  // https://sqlite.org/walformat.html
}

void DatabaseFiles::check() {
    if (!inPlace()) {
        throw ForeignFiles(path_ + " is not the file that was opened: it was moved, removed or replaced");
    }
    const Stamps found = stamps();
    std::unique_lock lock(mutex_);
    const Stamps left = left_;
    lock.unlock();
    if (found == left) {
        return;
    }
    for (const File file : {log, index}) {
        if (!found[file].sameFile(left[file])) {
            throw std::runtime_error(name(file) + " was moved, removed or replaced");
        }
    }
    if (!hasHeader()) {
        throw ForeignFiles(path_ + " was overwritten: it is not a database any more");
    }
    if (found[log].size > 0 && !logHasHeader()) {
        throw ForeignFiles(name(log) + " was overwritten: it is not SQLite's log any more");
    }
    if (!(found[database] == left[database]) || found[log].size == 0) {
        const std::string finding = findingOf(path_);
        if (finding != "ok") {
            throw ForeignFiles(path_ + " was changed by another program: " + finding);
        }
    }
    lock.lock();
    left_ = found;
}

}  // namespace stage
