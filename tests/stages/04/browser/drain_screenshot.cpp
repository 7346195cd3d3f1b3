// Makes the picture in the README of stage 04: a drain under way, from a real run.
// Usage: drain_screenshot FILE

#include "chromium.h"
#include "watched_server.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

void takePicture(const std::string& file) {
    const auto program = Chromium::find();
    if (!program) {
        throw std::runtime_error("chromium is not installed");
    }
    Chromium chromium(*program);
    chromium.resize(1000, 796);
    const WatchedServer server({"--lame-duck=1s", "--timeout=20s", "--hook-timeout=2s",
                                "--total-timeout=40s"});
    chromium.open(server.page());

    const std::string order = R"({"item":"tea","quantity":1})";
    for (int i = 0; i < 12; ++i) {
        server.ask(httpRequest("POST", "/orders", {}, order)).readResponse(10s);
    }
    std::vector<Connection> clients; // they wait for their answers
    for (const char* work : {"16s", "14s", "12s"}) {
        clients.push_back(server.ask(httpRequest("GET", "/hello?work=" + std::string(work))));
        std::this_thread::sleep_for(700ms); // so that they differ in age
    }
    server.process().signal(SIGTERM);
    if (!chromium.showsSoon("#hooks .running", "in-flight")) {
        throw std::runtime_error("the page does not show the drain");
    }
    std::this_thread::sleep_for(3s); // for bars that can be seen
    std::ofstream(file, std::ios::binary) << chromium.screenshot();
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "Usage: drain_screenshot FILE\n";
        return 64;
    }
    try {
        takePicture(argv[1]);
    } catch (const std::exception& error) {
        std::cerr << "drain_screenshot: " << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
