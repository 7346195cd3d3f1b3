#include "wrk.h"

#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "process.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

/// "512.00us", "1.39ms" or "1.01s", as milliseconds.
double parseTime(const std::string& text) {
    std::size_t end = 0;
    const double value = std::stod(text, &end);
    const std::string unit = text.substr(end);
    return unit == "us" ? value / 1000 : unit == "ms" ? value : value * 1000;
}

WrkResult parse(const std::string& output) {
    WrkResult result;
    std::istringstream words(output);
    std::string before;
    std::string word;
    for (; words >> word; before = word) {
        std::string value;
        if (word == "requests" && result.requests == 0) {  // "12345 requests in 4.00s"
            result.requests = std::stod(before);
        } else if (word == "Requests/sec:" && words >> value) {
            result.requestsPerSecond = std::stod(value);
        } else if (word == "99%" && words >> value) {
            result.p99 = parseTime(value);
        } else if (word == "Socket" || word == "Non-2xx") {
            result.clean = false;
        }
    }
    return result;
}

}  // namespace

bool haveWrk() try {
    test::Process({"wrk", "--version"}).waitForExit(10s);
    return true;
} catch (const std::system_error&) {
    return false;
}

WrkResult runWrk(int port, Connections connections, std::chrono::seconds duration) {
    std::vector<std::string> command{"wrk", "-c16", "-t2", "--latency",
                                     "-d" + std::to_string(duration.count()) + "s"};
    if (connections == Connections::onePerRequest) {
        command.insert(command.end(), {"-H", "Connection: close"});
    }
    command.push_back("http://127.0.0.1:" + std::to_string(port) + "/hello?work=0s");
    const test::Process wrk(command);
    if (wrk.waitForExit(duration + 30s).code != 0) {
        throw std::runtime_error("wrk failed\n" + wrk.log());
    }
    return parse(wrk.standardOutput());
}

}  // namespace lifecycle::bench
