#pragma once

#include "http_client.h"
#include "process.h"
#include "temp_dir.h"

#include <string>
#include <vector>

namespace lifecycle::test {

/// Stage 04 on free ports, with a database of its own. Its constructor returns when it serves.
class WatchedServer {
public:
    explicit WatchedServer(const std::vector<std::string>& options = {});

    const Process& process() const { return process_; }
    int adminPort() const { return admin_port_; }
    /// Where the page is.
    std::string page() const { return "http://127.0.0.1:" + std::to_string(admin_port_) + "/"; }

    /// A connection that has sent a request; the answer is still to be read.
    Connection ask(const std::string& request) const;

private:
    TempDir directory_;
    Process process_;
    int port_;
    int admin_port_;
};

} // namespace lifecycle::test
