// A server that does one thing wrong, to prove that drain_check finds it:
//
//     careless_server FAULT PORT
//
// Everything else it does well enough: a thread for each connection, GET /?work=MS, GET /?stream=MS until the
// connection closes, keep-alive, and on SIGTERM it refuses new connections, finishes what is in flight, and leaves.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

std::string fault;
std::atomic<int> inFlight = 0;
std::atomic<int> connections = 0;
std::atomic<bool> stopping = false;

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
    ++inFlight;
    if (const auto stream = request.find("stream="); stream != std::string::npos) {
        sendPieces(client, std::chrono::milliseconds(std::atoi(request.c_str() + stream + 7)) / 10);
        --inFlight;
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
    const std::string text = std::string(fault == "early-header" ? "" : "HTTP/1.1 200 OK\r\n") +
                             "Content-Length: 3\r\n" + std::string(announce ? "Connection: close\r\n" : "") + "\r\nok\n";
    ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
    --inFlight;
}

void serve(int client) {
    std::string bytes;
    char buffer[4096];
    for (ssize_t count = 0; (count = ::recv(client, buffer, sizeof buffer, 0)) > 0;) {
        bytes.append(buffer, static_cast<std::size_t>(count));
        for (std::size_t end; fault != "mute" && (end = bytes.find("\r\n\r\n")) != std::string::npos;) {
            answer(client, bytes.substr(0, end));
            bytes.erase(0, end + 4);
        }
    }
    ::close(client);
    --connections;
}

void acceptAll(int listener) {
    while (true) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) {
            ++connections;
            std::thread(serve, client).detach();
        } else if (stopping && fault != "keeps-listening") {
            return;
        } else if (fault != "spins") {
            std::this_thread::sleep_for(20ms);
        }
    }
}

int listenOn(int port) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 512) != 0) {
        std::perror("careless_server");
        std::exit(69);
    }
    return listener;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        return 64;
    }
    fault = argv[1];
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    if (fault != "dies" && fault != "early-header") {
        ::pthread_sigmask(SIG_BLOCK, &term, nullptr);
    }
    const int listener = listenOn(std::atoi(argv[2]));
    if (fault == "loads") {  // which is no fault
        std::this_thread::sleep_for(1500ms);
    }
    std::thread(acceptAll, listener).detach();

    int number = 0;
    do {
        ::sigwait(&term, &number);
    } while (fault == "stays");
    stopping = true;
    if (fault == "crashes") {
        std::abort();
    }
    if (fault == "wrong-code") {
        ::_exit(3);
    }
    if (fault != "keeps-listening") {
        ::shutdown(listener, SHUT_RDWR);
    }
    if (fault == "hasty") {
        ::_exit(0);
    }
    while (inFlight > 0 || (fault == "waits-for-idle" && connections > 0)) {
        std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(fault == "slow-exit" ? 5s : 0s);
    ::_exit(0);
}
