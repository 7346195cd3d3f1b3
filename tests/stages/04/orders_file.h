#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

struct sqlite3;

namespace lifecycle::test {

/// The orders in an SQLite file, read with SQLite itself: no code is shared with the program under
/// test. Throws std::runtime_error if SQLite fails.
class OrdersFile {
public:
    explicit OrdersFile(std::string path) : path_(std::move(path)) {}

    struct Row {
        std::string item;
        std::int64_t quantity;
    };

    std::map<std::int64_t, Row> rows() const;

    /// Any SQL; and the first number that some SQL gives.
    void execute(const std::string& sql) const;
    std::int64_t number(const std::string& sql) const;

    /// Keeps everybody else from writing, while it lives.
    class WriteLock {
    public:
        explicit WriteLock(const std::string& path);

    private:
        std::shared_ptr<sqlite3> database_;
    };
    WriteLock lock() const { return WriteLock(path_); }

private:
    const std::string path_;
};

} // namespace lifecycle::test
