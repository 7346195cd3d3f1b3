#include "redis_server.h"

#include "catch.h"
#include "skip.h"

#include <algorithm>
#include <random>
#include <stdexcept>

namespace lifecycle::test {

using namespace std::chrono_literals;

bool RedisServer::available() {
    try {
        const Process version({"redis-server", "--version"});
        return version.waitForExit(10s).code == 0;
    } catch (const std::system_error&) {
        skip("redis-server is not installed");
        return false;
    }
}

RedisServer::RedisServer() {
    // Below the ports that the kernel gives to clients: the port must stay free while Redis is
    // down.
    std::random_device random;
    std::uniform_int_distribution<int> ports(20'000, 31'999);
    for (int attempt = 0; attempt < 20; ++attempt) {
        port_ = ports(random);
        try {
            start();
            return;
        } catch (const std::runtime_error&) { // taken
        }
    }
    throw std::runtime_error("redis-server does not start");
}

void RedisServer::start() {
    process_ = std::make_unique<Process>(
        std::vector<std::string>{"redis-server", "--bind", "127.0.0.1", "--port",
                                 std::to_string(port_), "--dir", directory_.path().string(),
                                 "--save", "", "--appendonly", "yes", "--appendfsync", "always"});
    if (!eventually([&] { return process_->exitStatus() || answers(); }, 20s) ||
        process_->exitStatus()) {
        throw std::runtime_error(process_->log());
    }
}

void RedisServer::kill() {
    process_->signal(SIGKILL);
    process_->waitForExit(10s);
}

long long RedisServer::value(const std::string& key) const {
    Connection connection = Connection::to(port_);
    connection.send("GET " + key + "\r\n");
    // $2\r\n17\r\n, or $-1\r\n for nothing
    std::string reply;
    const Deadline deadline = 10s;
    while (reply.size() < 5 || reply.compare(reply.size() - 2, 2, "\r\n") != 0 ||
           (reply[1] != '-' && std::count(reply.begin(), reply.end(), '\n') < 2)) {
        const ReadResult next = connection.readBytes(1, deadline);
        if (next.outcome != Outcome::complete) {
            throw std::runtime_error("Redis does not tell " + key + ", only: " + reply);
        }
        reply += next.bytes;
    }
    return reply[1] == '-' ? 0 : std::stoll(reply.substr(reply.find('\n') + 1));
}

bool RedisServer::answers() const {
    return askRedis(port_, "PING") == "+PONG";
}

std::string askRedis(int port, const std::string& command) {
    Connection connection = Connection::to(port);
    if (connection.error()) {
        return "";
    }
    connection.send(command + "\r\n");
    std::string line;
    for (const Deadline deadline = 5s;;) {
        const ReadResult next = connection.readBytes(1, deadline);
        if (next.outcome != Outcome::complete) {
            return "";
        }
        if (next.bytes == "\r") {
            return line;
        }
        line += next.bytes;
    }
}

} // namespace lifecycle::test
