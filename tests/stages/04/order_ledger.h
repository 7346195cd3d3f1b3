#pragma once

#include "catch.h"
#include "order_clients.h"
#include "orders_file.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace lifecycle::test {

/// The responses to all clients of a file so far, and whether the file agrees.
class OrderLedger {
public:
    explicit OrderLedger(std::string path) : file_(std::move(path)) {}

    void add(const OrderAnswers& answers) {
        CHECK(answers.acknowledgedTwice == 0);
        for (const auto& [id, item] : answers.acknowledged) {
            CHECK(told_.emplace(id, item).second);
        }
    }

    std::size_t told() const { return told_.size(); }
    std::size_t rows() const { return file_.rows().size(); }

    /// Rows = 202s, under the ids that were told, from 1 up without gap.
    void checkFile() const {
        const auto rows = file_.rows();
        REQUIRE(rows.size() == told_.size());
        std::int64_t next = 1;
        for (const auto& [id, row] : rows) {
            REQUIRE(id == next++);
            REQUIRE(told_.at(id) == row.item);
        }
    }

private:
    const OrdersFile file_;
    std::map<std::int64_t, std::string> told_;
};

} // namespace lifecycle::test
