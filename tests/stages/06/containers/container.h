#pragma once

#include "deadline.h"

#include <string>
#include <vector>

namespace lifecycle::test {

/// Runs the docker command line and returns what it prints, without the last line's end. Throws
/// std::runtime_error with what it says on standard error if it fails.
std::string docker(const std::vector<std::string>& arguments);

/// Is there a Docker engine that has the images of stage 06? If not, says so in the words that make
/// CTest count the test as skipped: the test is to return then.
bool dockerIsAvailable();

/// A container of a test, removed at the end of the scope. Its log is printed if the test has
/// failed.
class Container {
public:
    /// `docker run --detach`, with the port 8080 published on a free port of 127.0.0.1.
    explicit Container(const std::string& image, const std::vector<std::string>& options = {},
                       const std::vector<std::string>& arguments = {});
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;
    ~Container();

    const std::string& id() const { return id_; }

    /// Where it is reached. Asked for once it runs, and known from then on.
    int port() const;

    /// Blocks until an event with this word stands in its log.
    bool tells(const std::string& word, Deadline deadline = std::chrono::seconds(30)) const;
    std::string log() const;

    /// `docker kill --signal`: to process 1, as all signals from outside.
    void signal(const std::string& name) const { docker({"kill", "--signal", name, id_}); }

    /// Blocks until it has ended; its exit code.
    int exitCode() const;

    /// "starting", "healthy" or "unhealthy"
    std::string health() const { return inspect("{{.State.Health.Status}}"); }

    std::string inspect(const std::string& format) const;

private:
    const std::string id_;
};

/// A network of a test, removed at the end of the scope.
class Network {
public:
    Network();
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    ~Network();

    const std::string& name() const { return name_; }

private:
    const std::string name_;
};

} // namespace lifecycle::test
