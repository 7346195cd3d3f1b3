#pragma once

#include "order_server.h"
#include "orders_file.h"
#include "temp_dir.h"

#include <csignal>
#include <string>
#include <vector>

namespace lifecycle::test {

/// Stage 04 on a database of its own.
struct OrderFixture {
    explicit OrderFixture(const std::vector<std::string>& options = {})
        : server(directory.path() / "orders.db", options) {}

    TempDir directory;
    OrderServer server;

    /// How many orders are stored.
    std::size_t rows() const { return OrdersFile(directory.path() / "orders.db").rows().size(); }

    /// Asks it to end, and waits for that; its exit code.
    int end() const {
        server.signal(SIGTERM);
        return server.waitForExit(std::chrono::seconds(30)).code;
    }
};

} // namespace lifecycle::test
