#include "watched_server.h"

#include <system_error>

namespace lifecycle::test {

namespace {

std::vector<std::string> commandLine(const TempDir& directory,
                                     const std::vector<std::string>& options) {
    std::vector<std::string> command{STAGE_BIN_DIR "/04_hooks", "--port=0", "--admin-port=0",
                                     "--db=" + (directory.path() / "orders.db").string()};
    command.insert(command.end(), options.begin(), options.end());
    return command;
}

} // namespace

WatchedServer::WatchedServer(const std::vector<std::string>& options)
    : process_(commandLine(directory_, options)) {
    const Event ready = process_.waitForEvent("ready");
    port_ = static_cast<int>(ready.number("port"));
    admin_port_ = static_cast<int>(ready.number("admin_port"));
}

Connection WatchedServer::ask(const std::string& request) const {
    Connection connection = Connection::to(port_);
    if (connection.send(request)) {
        throw std::system_error(connection.error(), "cannot send a request");
    }
    return connection;
}

} // namespace lifecycle::test
