#include "orders_file.h"

#include <sqlite3.h>

#include <stdexcept>

namespace lifecycle::test {

namespace {

std::shared_ptr<sqlite3> open(const std::string& path, int flags) {
    sqlite3* database = nullptr;
    const int result = ::sqlite3_open_v2(path.c_str(), &database, flags, nullptr);
    std::shared_ptr<sqlite3> owner(database, ::sqlite3_close);
    if (result != SQLITE_OK) {
        throw std::runtime_error(path + ": " + ::sqlite3_errstr(result));
    }
    ::sqlite3_busy_timeout(database, 10'000);
    return owner;
}

void check(sqlite3* database, int result) {
    if (result != SQLITE_OK && result != SQLITE_DONE) {
        throw std::runtime_error(::sqlite3_errmsg(database));
    }
}

} // namespace

void OrdersFile::execute(const std::string& sql) const {
    const auto database = open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    check(database.get(), ::sqlite3_exec(database.get(), sql.c_str(), nullptr, nullptr, nullptr));
}

std::int64_t OrdersFile::number(const std::string& sql) const {
    const auto database = open(path_, SQLITE_OPEN_READWRITE);
    sqlite3_stmt* query = nullptr;
    check(database.get(), ::sqlite3_prepare_v2(database.get(), sql.c_str(), -1, &query, nullptr));
    const std::shared_ptr<sqlite3_stmt> owner(query, ::sqlite3_finalize);
    return ::sqlite3_step(query) == SQLITE_ROW ? ::sqlite3_column_int64(query, 0) : 0;
}

std::map<std::int64_t, OrdersFile::Row> OrdersFile::rows() const {
    // Not read-only: what a killed program left in the log must be recovered first.
    const auto database = open(path_, SQLITE_OPEN_READWRITE);
    sqlite3_stmt* query = nullptr;
    check(database.get(),
          ::sqlite3_prepare_v2(database.get(), "SELECT id, item, quantity FROM orders", -1, &query, nullptr));
    const std::shared_ptr<sqlite3_stmt> owner(query, ::sqlite3_finalize);
    std::map<std::int64_t, Row> rows;
    int result = ::sqlite3_step(query);
    for (; result == SQLITE_ROW; result = ::sqlite3_step(query)) {
        const auto* item = static_cast<const char*>(::sqlite3_column_blob(query, 1));
        rows[::sqlite3_column_int64(query, 0)] = {
            std::string(item, static_cast<std::size_t>(::sqlite3_column_bytes(query, 1))),
            ::sqlite3_column_int64(query, 2)};
    }
    check(database.get(), result);
    return rows;
}

OrdersFile::WriteLock::WriteLock(const std::string& path)
    : database_(open(path, SQLITE_OPEN_READWRITE)) {
    check(database_.get(), ::sqlite3_exec(database_.get(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr));
}

} // namespace lifecycle::test
