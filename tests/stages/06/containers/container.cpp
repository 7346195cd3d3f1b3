#include "container.h"

#include "process.h"
#include "test_outcome.h"
#include "skip.h"

#include <unistd.h>

#include <iostream>
#include <stdexcept>

namespace lifecycle::test {

using namespace std::chrono_literals;

namespace {

std::string run(const std::vector<std::string>& arguments, bool withErrors) {
    std::vector<std::string> command{"docker"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Process process(command);
    const ExitStatus status = process.waitForExit(120s);
    std::string errors;
    for (const CapturedLine& line : process.standardError()) {
        errors += line.text + "\n";
    }
    if (status.code != 0) {
        throw std::runtime_error("docker " + arguments.at(0) + ": " + errors);
    }
    std::string said = process.standardOutput() + (withErrors ? errors : "");
    said.erase(said.find_last_not_of('\n') + 1);
    return said;
}

void quietly(const std::vector<std::string>& arguments) {
    try {
        docker(arguments);
    } catch (const std::exception& error) {
        std::cerr << error.what() << std::endl;
    }
}

std::string started(const std::string& image, const std::vector<std::string>& options,
                    const std::vector<std::string>& arguments) {
    std::vector<std::string> command{"run", "--detach", "--publish", "127.0.0.1::8080"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(image);
    command.insert(command.end(), arguments.begin(), arguments.end());
    return docker(command);
}

} // namespace

std::string docker(const std::vector<std::string>& arguments) {
    return run(arguments, false);
}

bool dockerIsAvailable() {
    try {
        docker({"info"});
    } catch (const std::exception&) {
        skip("no Docker engine answers");
        return false;
    }
    try {
        docker({"image", "inspect", "lab", "lab-shell-form", "lab-redis", "lab-haproxy"});
        return true;
    } catch (const std::exception&) {
        skip("the images are missing (06_docker/build-images)");
        return false;
    }
}

Container::Container(const std::string& image, const std::vector<std::string>& options,
                     const std::vector<std::string>& arguments)
    : id_(started(image, options, arguments)) {}

Container::~Container() {
    if (currentTestHasFailed()) {
        try {
            std::cout << "---- log of container " << id_.substr(0, 12) << "\n"
                      << log() << std::endl;
        } catch (const std::exception& error) {
            std::cout << error.what() << std::endl;
        }
    }
    quietly({"rm", "--force", "--volumes", id_});
}

int Container::port() const {
    const std::string address = docker({"port", id_, "8080"}); // 127.0.0.1:32768
    return std::stoi(address.substr(address.find(':') + 1));
}

bool Container::tells(const std::string& word, Deadline deadline) const {
    return eventually([&] { return log().find("s " + word + " ") != std::string::npos; }, deadline);
}

std::string Container::log() const {
    return run({"logs", id_}, true);
}

int Container::exitCode() const {
    return std::stoi(docker({"wait", id_}));
}

std::string Container::inspect(const std::string& format) const {
    return docker({"inspect", "--format", format, id_});
}

Network::Network() : name_("lab-test-" + std::to_string(::getpid())) {
    docker({"network", "create", name_});
}

Network::~Network() {
    quietly({"network", "rm", name_});
}

} // namespace lifecycle::test
