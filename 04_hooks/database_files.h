#pragma once

#include <sys/stat.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <string>

#include "file_lock.h"

namespace stage {

/// The files of a database are not what the store left there. SQLite must not touch them until they are:
/// to close a connection is enough to delete the log of another database that has come to this path, or
/// to write a damaged log into a good file.
class ForeignFiles : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// SQLite goes on without an error when somebody moves, removes or overwrites the file that it has open,
/// and what it stores from then on is nowhere. This class sees that: it locks the database, and compares
/// what is at the path with what was opened and with what the store left there.
/// (https://sqlite.org/howtocorrupt.html, section 4)
///
/// In WAL mode the file itself changes only when a part of the log is copied into it, and the log stays
/// the same file as long as a connection is open. So any other change is another program's.
///
/// check() and remember() are for one thread, the others for every thread.
class DatabaseFiles {
public:
    /// Makes the file if it does not exist, and locks it. The path is made absolute: it names the same
    /// place for as long as the process runs. Throws as FileLock does.
    explicit DatabaseFiles(const std::string& path);

    const std::string& path() const { return path_; }

    /// The path still leads to the file that was locked. One stat(2).
    bool inPlace() const;

    /// The files are now as the store left them.
    void remember();

    /// They still are, as far as names, sizes and times tell. Three stat(2).
    bool asRemembered() const;

    /// Throws ForeignFiles with a sentence for the log if the path does not lead to the locked file, or
    /// a file has no content of SQLite's any more; std::runtime_error if the log was removed or replaced,
    /// which a new connection repairs. Changes by other users of SQLite are none of this. Reads the whole
    /// file if that has changed.
    void check();

private:
    /// What tells that a file has been changed.
    struct Stamp {
        dev_t device = 0;
        ino_t inode = 0;  // 0: there is no such file
        off_t size = 0;
        timespec time{};

        bool sameFile(const Stamp& other) const { return device == other.device && inode == other.inode; }
        bool operator==(const Stamp& other) const;
    };
    using Stamps = std::array<Stamp, 3>;
    enum File : std::size_t { database, log, index };

    std::string name(File file) const;
    Stamp stampOf(File file) const;
    Stamps stamps() const;
    bool hasHeader() const;
    bool logHasHeader() const;

    const std::string path_;
    const FileLock lock_;

    mutable std::mutex mutex_;
    Stamps left_;  // guarded by mutex_
};

}  // namespace stage
