#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/StreamSocket.h>

#include "lifecycle/context.h"

namespace stage {

/// One connection to Redis, and as much of its protocol as this stage needs: a command out, a line, a
/// number or a short text back. Poco::Redis::Client reads whatever the peer sends, including arrays nested
/// until the stack overflows and texts of any length; here replies are limited in size and time.
///
/// After an exception the connection is of no use: the reply may still be on its way, and would be
/// taken for the reply to the next command. Not for several threads.
///
/// Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
class RedisConnection {
public:
    static constexpr std::size_t maxReply = 1024;  ///< bytes

    /// Connects to the first of `addresses` that accepts. Blocks until then, or until `context` is
    /// done. Throws std::runtime_error or Poco::Exception if there is no connection.
    RedisConnection(const std::vector<Poco::Net::SocketAddress>& addresses,
                    const lifecycle::Context& context);

    /// Sends a command and blocks until the whole reply is there or `context` is done. Returns the
    /// text of the reply, nothing for a null. Throws std::runtime_error or Poco::Exception: for an
    /// error that Redis replies, a reply that is longer than maxReply or of another type, a
    /// connection that breaks, and with the cause of `context` once that is done.
    std::optional<std::string> ask(const std::vector<std::string>& words,
                                   const lifecycle::Context& context);

private:
    void receive();
    std::string takeLine();
    std::string takeText(std::size_t size);
    std::optional<std::string> takeReply();

    Poco::Net::StreamSocket socket_;
    std::string received_;  // not taken yet
};

}  // namespace stage
