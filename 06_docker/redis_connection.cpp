#include "redis_connection.h"

#include <sys/socket.h>

#include <array>
#include <charconv>
#include <stdexcept>

#include <Poco/Exception.h>
#include <Poco/Timespan.h>

namespace stage {
namespace {

using lifecycle::Context;

/// Whatever blocks on the socket returns when the context is done.
lifecycle::DoneCallback interrupt(const Poco::Net::StreamSocket& socket, const Context& context) {
    return context.onDone([descriptor = socket.impl()->sockfd()] { ::shutdown(descriptor, SHUT_RDWR); });
}

/// So that the error names the cause and not only its effect.
void throwIfDone(const Context& context) {
    if (context.done()) {
        throw std::runtime_error(context.cause());
    }
}

Poco::Net::StreamSocket connected(const Poco::Net::SocketAddress& address, const Context& context) {
    Poco::Net::StreamSocket socket(address.family());
    const auto interruption = interrupt(socket, context);
    const auto rest = std::chrono::ceil<std::chrono::microseconds>(context.remaining());
    socket.connect(address, Poco::Timespan(rest.count()));
    throwIfDone(context);
    socket.setNoDelay(true);
    return socket;
}

std::string encoded(const std::vector<std::string>& words) {
    std::string command = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        command += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    return command;
}

}  // namespace

RedisConnection::RedisConnection(const std::vector<Poco::Net::SocketAddress>& addresses,
                                 const Context& context) {
    for (std::size_t i = 0;; ++i) {
        try {
            socket_ = connected(addresses.at(i), context);
            return;
        } catch (const Poco::Exception&) {
            throwIfDone(context);
            if (i + 1 == addresses.size()) {
                throw;
            }
        }
    }
}

std::optional<std::string> RedisConnection::ask(const std::vector<std::string>& words,
                                                const Context& context) {
    const auto interruption = interrupt(socket_, context);
    try {
        const std::string command = encoded(words);
        for (std::size_t sent = 0; sent < command.size();) {
            sent += static_cast<std::size_t>(
                socket_.sendBytes(command.data() + sent, static_cast<int>(command.size() - sent)));
        }
        received_.clear();
        return takeReply();
    } catch (const std::exception&) {
        throwIfDone(context);
        throw;
    }
}

std::optional<std::string> RedisConnection::takeReply() {
    const std::string line = takeLine();
    const char type = line.empty() ? '?' : line[0];
    std::string text = line.empty() ? line : line.substr(1);
    switch (type) {
    case '+':
    case ':': return text;
    case '-': throw std::runtime_error(text);
    case '$': {
        if (text == "-1") {
            return std::nullopt;
        }
        std::size_t size = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
        if (error != std::errc() || end != text.data() + text.size() || size > maxReply) {
            break;
        }
        return takeText(size);
    }
    default: break;
    }
    throw std::runtime_error("unexpected reply: " + line.substr(0, 20));
}

std::string RedisConnection::takeLine() {
    std::size_t end = 0;
    while ((end = received_.find("\r\n")) == std::string::npos) {
        receive();
    }
    const std::string line = received_.substr(0, end);
    received_.erase(0, end + 2);
    return line;
}

std::string RedisConnection::takeText(std::size_t size) {
    while (received_.size() < size + 2) {
        receive();
    }
    return received_.substr(0, size);
}

void RedisConnection::receive() {
    if (received_.size() > maxReply) {
        throw std::runtime_error("a reply is longer than " + std::to_string(maxReply) + " bytes");
    }
    std::array<char, 512> bytes;
    const int size = socket_.receiveBytes(bytes.data(), static_cast<int>(bytes.size()));
    if (size <= 0) {
        throw std::runtime_error("the connection was closed");
    }
    received_.append(bytes.data(), static_cast<std::size_t>(size));
}

}  // namespace stage
