#include "order_clients.h"

#include "http_client.h"

#include <optional>
#include <stdexcept>

namespace lifecycle::test {

using namespace std::chrono_literals;

OrderClients::OrderClients(int port, int clients, std::string name) : port_(port), name_(std::move(name)) {
    for (int client = 0; client < clients; ++client) {
        threads_.emplace_back([this, client] { run(client); });
    }
}

OrderClients::~OrderClients() {
    stop();
    wait();
}

OrderAnswers OrderClients::wait() {
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    return answers_;
}

void OrderClients::run(int client) {
    std::optional<Connection> connection;
    for (int number = 0; !stopped_ && !deadline_.passed(); ++number) {
        if (!connection || connection->closedByServer()) {
            connection = Connection::to(port_);
            if (connection->error()) {
                return; // refused: the server has closed its door
            }
        }
        const std::string item = name_ + "-" + std::to_string(client) + "-" + std::to_string(number);
        connection->send(httpRequest("POST", "/orders", {}, R"({"item":")" + item + R"(","quantity":1})"));
        const Response answer = connection->readResponse(30s);
        if (answer.outcome != Outcome::complete) {
            const std::lock_guard lock(mutex_);
            ++answers_.lost;
            connection.reset();
            continue;
        }
        take(answer.status, answer.body, item);
        if (!answer.keepsAlive()) {
            connection.reset();
        }
    }
}

void OrderClients::take(int status, const std::string& body, const std::string& item) {
    const std::lock_guard lock(mutex_);
    ++answers_.byStatus[status];
    if (status == 202) {
        const std::int64_t id = std::stoll(body.substr(body.find(':') + 1)); // {"id":17}
        answers_.acknowledgedTwice += answers_.acknowledged.emplace(id, item).second ? 0 : 1;
        ++acknowledged_;
    }
}

} // namespace lifecycle::test
