#pragma once

#include <sys/stat.h>

#include <array>
#include <mutex>
#include <stdexcept>
#include <string>

#include "orders/file_lock.h"

namespace stage {

/// The files of a database are not what the store left there. SQLite must not touch them until they are again:
/// just closing a connection could delete the log of another database that was moved to this path, or write a
/// damaged log into a good file.
class ForeignFiles : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// SQLite reports no error when somebody moves, removes or overwrites the file that it has open, and what it
/// stores from then on is lost. This class detects that: it locks the database, and compares what is at the
/// path with what was opened and with what the store left there.
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

    /// Whether the path still leads to the file that was locked. One stat(2).
    bool inPlace() const;

    /// Remembers the files as the store leaves them now.
    void remember();

    /// Whether they are still like that, by names, sizes and times. Three stat(2).
    bool asRemembered() const;

    /// Throws ForeignFiles with a sentence for the log if the path does not lead to the locked file, or
    /// a file no longer has SQLite's format; std::runtime_error if the log was removed or replaced,
    /// which a new connection repairs. Changes by other users of SQLite are not errors. Reads the whole
    /// file if that has changed.
    void check();

private:
    /// What a change of a file is detected by.
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
