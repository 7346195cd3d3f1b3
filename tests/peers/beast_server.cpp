// The same service on Boost.Beast: GET /hello?work=300ms, GET /stream?work=1s, POST /upload. Coroutines on as many
// threads as there are processors. On SIGTERM it does what the examples of Beast do: it stops the io_context.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <unistd.h>

#include "work_of.h"

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using asio::use_awaitable;
using Request = http::request<http::string_body>;

namespace {

asio::awaitable<void> pause(tcp::socket& socket, std::chrono::milliseconds time) {
    if (time.count() > 0) {
        asio::steady_timer timer(socket.get_executor(), time);
        co_await timer.async_wait(use_awaitable);
    }
}

asio::awaitable<void> stream(tcp::socket& socket, const Request& request, std::chrono::milliseconds work) {
    http::response<http::empty_body> head(http::status::ok, request.version());
    head.chunked(true);
    http::response_serializer<http::empty_body> serializer(head);
    co_await http::async_write_header(socket, serializer, use_awaitable);
    for (int i = 0; i < 20; ++i) {
        co_await pause(socket, work / 20);
        co_await asio::async_write(socket, http::make_chunk(asio::buffer("hello\n", 6)), use_awaitable);
    }
    co_await asio::async_write(socket, http::make_chunk_last(), use_awaitable);
}

asio::awaitable<void> respond(tcp::socket& socket, const Request& request, std::string body) {
    http::response<http::string_body> response(http::status::ok, request.version());
    response.set(http::field::content_type, "text/plain");
    response.keep_alive(request.keep_alive());
    response.body() = std::move(body);
    response.prepare_payload();
    co_await http::async_write(socket, response, use_awaitable);
}

asio::awaitable<void> serve(tcp::socket socket) try {
    socket.set_option(tcp::no_delay(true));
    boost::beast::flat_buffer buffer;
    for (bool keepAlive = true; keepAlive;) {
        Request request;
        co_await http::async_read(socket, buffer, request, use_awaitable);
        const std::string target(request.target());
        if (target.starts_with("/stream")) {
            co_await stream(socket, request, lifecycle::peers::workOf(target));
        } else if (target.starts_with("/upload")) {
            co_await respond(socket, request, std::to_string(request.body().size()) + '\n');
        } else {
            co_await pause(socket, lifecycle::peers::workOf(target));
            co_await respond(socket, request, "hello\n");
        }
        keepAlive = request.keep_alive();
    }
    socket.shutdown(tcp::socket::shutdown_send);
} catch (const std::exception&) {
    // The client has left.
}

asio::awaitable<void> acceptAll(tcp::acceptor acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
        const auto executor = socket.get_executor();
        asio::co_spawn(executor, serve(std::move(socket)), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) try {
    // --port N, as all contestants are started
    const auto port = static_cast<unsigned short>(argc == 3 ? std::atoi(argv[2]) : 0);
    const unsigned count = std::max(1U, std::thread::hardware_concurrency());
    asio::io_context context(static_cast<int>(count));
    asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([&](const auto&, int) { context.stop(); });

    tcp::acceptor acceptor(context);
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(asio::socket_base::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen(4096);
    std::fprintf(stderr, "+0.000s ready port=%d pid=%d\n", acceptor.local_endpoint().port(), ::getpid());
    asio::co_spawn(context, acceptAll(std::move(acceptor)), asio::detached);

    std::vector<std::thread> threads;
    for (unsigned i = 1; i < count; ++i) {
        threads.emplace_back([&context] { context.run(); });
    }
    context.run();
    for (std::thread& thread : threads) {
        thread.join();
    }
} catch (const std::exception& error) {
    std::fprintf(stderr, "beast_server: %s\n", error.what());
    return 69;
}
