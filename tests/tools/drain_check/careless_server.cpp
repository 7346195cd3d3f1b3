// A server that does one thing wrong, to prove that drain_check finds it:
//
//     careless_server FAULT PORT
//
// Everything else it does well enough: a thread for each connection, GET or POST /?work=MS, GET /?stream=MS until the
// connection closes, GET /ready, keep-alive; on SIGTERM it refuses new connections, finishes what is in flight, and
// leaves; on SIGHUP a new process takes over the listening socket first.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

std::string fault;
std::string port;
std::atomic<int> inFlight = 0;
std::atomic<int> connections = 0;
std::atomic<int> requests = 0;
std::atomic<bool> stopping = false;
std::atomic<bool> handedOver = false;

void sendPieces(int client, std::chrono::milliseconds pause) {
    std::string text = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    for (int piece = 0; piece < 10; ++piece) {
        text += "a piece\n";
        ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
        text.clear();
        std::this_thread::sleep_for(pause);
    }
    ::shutdown(client, SHUT_RDWR);
}

void answer(int client, const std::string& request) {
    if (const auto stream = request.find("stream="); stream != std::string::npos) {
        sendPieces(client, std::chrono::milliseconds(std::atoi(request.c_str() + stream + 7)) / 10);
        return;
    }
    if (fault == "early-header") {
        const std::string head = "HTTP/1.1 200 OK\r\n";
        ::send(client, head.data(), head.size(), MSG_NOSIGNAL);
    }
    const auto work = request.find("work=");
    if (work != std::string::npos) {
        std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(request.c_str() + work + 5)));
    }
    const bool announce = stopping && fault != "keeps-alive";
    const bool unready = stopping && fault != "stays-ready" && request.find(" /ready ") != std::string::npos;
    const std::string status = unready             ? "HTTP/1.1 503 Service Unavailable\r\n"
                               : fault == "errors" ? "HTTP/1.1 500 Internal Server Error\r\n"
                                                   : "HTTP/1.1 200 OK\r\n";
    const std::string text = std::string(fault == "early-header" ? "" : status) + "Content-Length: 3\r\n" +
                             std::string(announce ? "Connection: close\r\n" : "") + "\r\nok\n";
    ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
}

std::size_t bodyLength(const std::string& header) {
    const auto length = header.find("Content-Length: ");
    return length == std::string::npos ? 0 : std::strtoul(header.c_str() + length + 16, nullptr, 10);
}

void serve(int client) {
    std::string bytes;
    char buffer[4096];
    bool begun = false;  // a request, whose body may not have come yet
    ssize_t count = 0;
    while ((count = ::recv(client, buffer, sizeof buffer, 0)) > 0) {
        bytes.append(buffer, static_cast<std::size_t>(count));
        for (std::size_t end; fault != "mute" && (end = bytes.find("\r\n\r\n")) != std::string::npos;) {
            inFlight += begun ? 0 : 1;
            begun = true;
            const std::string header = bytes.substr(0, end);
            if (bytes.size() < end + 4 + bodyLength(header)) {
                break;
            }
            const int number = ++requests;
            if (fault == "drops-one" && number == 5) {
                ::shutdown(client, SHUT_RDWR);  // long before any signal
            }
            answer(client, header);
            bytes.erase(0, end + 4 + bodyLength(header));
            --inFlight;
            begun = false;
        }
    }
    inFlight -= begun ? 1 : 0;
    ::close(client);
    connections -= fault == "forgets-resets" && count < 0 ? 0 : 1;
}

void acceptAll(int listener) {
    while (!handedOver) {
        pollfd line{listener, POLLIN, 0};
        ::poll(&line, 1, 20);
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0 && fault == "dawdles" && stopping) {
            continue;  // it is taken, and never answered
        }
        if (client >= 0) {
            ++connections;
            std::thread(serve, client).detach();
        } else if (stopping && fault != "keeps-listening" && fault != "dawdles") {
            return;
        } else if (fault != "spins" && errno != EAGAIN) {
            std::this_thread::sleep_for(20ms);
        }
    }
}

int listenOn(int number) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(number));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 512) != 0) {
        std::perror("careless_server");
        std::exit(69);
    }
    return listener;
}

/// A new process of this program, with another fault; it gets the listening socket unless that is -1.
void startNext(const char* nextFault, int listener) {
    if (listener != -1) {
        ::setenv("CARELESS_LISTENER", std::to_string(listener).c_str(), 1);
    }
    if (::fork() == 0) {
        if (listener != -1) {
            ::fcntl(listener, F_SETFD, 0);
        }
        ::execl("/proc/self/exe", "careless_server", nextFault, port.c_str(), nullptr);
        ::_exit(1);
    }
}

void handOver(int listener) {
    if (fault == "rebinds") {
        ::shutdown(listener, SHUT_RDWR);
        ::close(listener);
        std::this_thread::sleep_for(100ms);
        startNext("none", -1);
    } else {
        startNext(fault == "restarts-broken" ? "errors" : "none", listener);
    }
    if (fault != "restarts-hasty") {
        std::this_thread::sleep_for(300ms);  // the new one accepts by then, or soon
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        return 64;
    }
    fault = argv[1];
    port = argv[2];
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigaddset(&term, SIGHUP);
    if (fault != "dies" && fault != "early-header") {
        ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
    }
    const char* const inherited = std::getenv("CARELESS_LISTENER");
    const int listener = inherited != nullptr ? std::atoi(inherited) : listenOn(std::atoi(argv[2]));
    if (fault == "loads") {  // which is no fault
        std::this_thread::sleep_for(1500ms);
    }
    std::thread acceptor(acceptAll, listener);

    int number = 0;
    do {
        ::sigwait(&term, &number);
    } while (fault == "stays");
    if (number == SIGHUP) {
        handOver(listener);
        handedOver = true;
        acceptor.join();
    }
    stopping = true;
    if (fault == "crashes") {
        std::abort();
    }
    if (fault == "wrong-code") {
        ::_exit(3);
    }
    if (fault == "dawdles") {  // nobody can act at the very moment of a signal
        std::this_thread::sleep_for(50ms);
    }
    if (fault != "keeps-listening" && number != SIGHUP) {
        ::shutdown(listener, SHUT_RDWR);
    }
    if (fault == "hasty" || fault == "restarts-hasty") {
        ::syscall(SYS_exit_group, 0);  // ThreadSanitizer's _exit waits for a second
    }
    const bool waitsForConnections = fault == "waits-for-idle" || fault == "drops-one" || fault == "forgets-resets" || fault == "restarts";
    while (inFlight > 0 || (waitsForConnections && connections > 0)) {
        std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(fault == "slow-exit" ? 5s : 0s);
    ::_exit(0);
}
