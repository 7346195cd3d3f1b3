// The same service on cpp-httplib: GET /hello?work=300ms, GET /stream?work=1s, POST /upload. On SIGTERM it calls
// Server::stop(), the means for it.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <httplib.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "work_of.h"

int main(int argc, char** argv) {
    // --port N, as all contestants are started
    const int wanted = argc == 3 ? std::atoi(argv[2]) : 0;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    httplib::Server server;
    server.set_tcp_nodelay(true);  // else each response waits for the client's delayed acknowledgement: 40 ms
    server.Get("/hello", [](const httplib::Request& request, httplib::Response& response) {
        std::this_thread::sleep_for(lifecycle::peers::workOf(request.target));
        response.set_content("hello\n", "text/plain");
    });
    server.Get("/stream", [](const httplib::Request& request, httplib::Response& response) {
        const auto pause = lifecycle::peers::workOf(request.target) / 20;
        response.set_chunked_content_provider("text/plain", [pause](std::size_t, httplib::DataSink& sink) {
            for (int i = 0; i < 20; ++i) {
                std::this_thread::sleep_for(pause);
                sink.write("hello\n", 6);
            }
            sink.done();
            return true;
        });
    });
    server.Post("/upload", [](const httplib::Request& request, httplib::Response& response) {
        response.set_content(std::to_string(request.body.size()) + '\n', "text/plain");
    });

    int port = wanted;
    if (wanted == 0) {
        port = server.bind_to_any_port("127.0.0.1");
    } else if (!server.bind_to_port("127.0.0.1", wanted)) {
        port = -1;
    }
    if (port < 0) {
        std::perror("httplib_server");
        return 69;
    }
    std::thread stopper([&] {
        int number = 0;
        ::sigwait(&signals, &number);
        server.stop();
    });
    std::fprintf(stderr, "+0.000s ready port=%d pid=%d\n", port, ::getpid());
    server.listen_after_bind();
    stopper.join();
}
