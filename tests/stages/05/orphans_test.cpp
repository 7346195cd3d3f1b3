#include "catch.h"
#include "http_client.h"
#include "pid_one.h"
#include "proc.h"
#include "process.h"
#include "process_table.h"
#include "stage.h"
#include "temp_dir.h"
#include "skip.h"

#include "lifecycle/file_descriptor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

std::vector<ProcessEntry> childrenOf(pid_t pid) {
    std::vector<ProcessEntry> children = processTable();
    std::erase_if(children, [pid](const ProcessEntry& process) { return process.parent != pid; });
    return children;
}

/// A shell that becomes stage 05 with stable-pid, and leaves it a nursery: for each line that comes in
/// by a pipe, that one makes an orphan, which adds a line to a file and ends.
class OrphansNursery {
public:
    OrphansNursery() {
        REQUIRE(::mkfifo(path("lines").c_str(), 0600) == 0);
        lines_ = lifecycle::FileDescriptor(::open(path("lines").c_str(), O_RDWR | O_CLOEXEC));
        configure("");
    }

    void configure(const std::string& content) const { directory_.write("config", content); }

    std::vector<std::string> command() const {
        const std::string script = "cd '" + directory_.path().string() +
                                   "' && (while read -r line; do (echo $line >>done &); done <lines &); exec \"$@\"";
        std::vector<std::string> command{"sh", "-c", script, "sh"};
        const auto program = stage("05_hot_restart", {"--port=0", "--work=0s", "--control=stable-pid",
                                                      "--rollback-window=0s", "--config=" + path("config")});
        command.insert(command.end(), program.begin(), program.end());
        return command;
    }

    /// Makes so many orphans, and waits until they have done their work.
    void make(std::size_t count) {
        made_ += count;
        for (std::size_t i = 0; i < count; ++i) {
            REQUIRE(::write(lines_.get(), "x\n", 2) == 2);
        }
        REQUIRE(eventually([this] { return linesDone() == made_; }, 30s));
    }

    /// The nursery ends, an orphan itself.
    void close() { lines_.reset(); }

private:
    std::string path(const std::string& name) const { return directory_.path() / name; }

    std::size_t linesDone() const {
        std::ifstream file(path("done"));
        return static_cast<std::size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
    }

    const TempDir directory_;
    lifecycle::FileDescriptor lines_;
    std::size_t made_ = 0;
};

/// `inside` is the process that stays, `outside` what the test has started.
void checkThatOrphansAreReaped(OrphansNursery& nursery, const Process& outside, pid_t inside, int port) {
    REQUIRE(childrenOf(inside).size() == 2); // generation 1 and the nursery
    const auto areReaped = [&] {
        return eventually([&] { return childrenOf(inside).size() == 2; }, 10s);
    };
    nursery.make(30);
    CHECK(areReaped());

    // How its own children end still reaches those who have to know.
    nursery.configure("fault=exit7\n");
    ::kill(inside, SIGHUP);
    nursery.make(10);
    CHECK(outside.waitForEvent("restart.failed", 30s).field("reason") == "exit code 7");
    nursery.configure("");
    ::kill(inside, SIGHUP);
    nursery.make(10);
    CHECK(outside.waitForEvent("worker.ended", 30s).field("end") == "exit code 0");
    CHECK(get(port, "/").body.find("generation=3") != std::string::npos);
    CHECK(areReaped());

    nursery.close();
    CHECK(eventually([&] { return childrenOf(inside).size() == 1; }, 10s));
    ::kill(inside, SIGTERM);
    CHECK(outside.waitForExit(30s).code == 0);
}

} // namespace

TEST_CASE("05: as process 1 it reaps orphans and takes none of them for its own") {
    if (!namespacesAreAllowed()) {
        skip("this system does not let us make a PID namespace");
        return;
    }
    OrphansNursery nursery;
    const Process outside(asPidOne(nursery.command()));
    const Event ready = outside.waitForEvent("ready");
    CHECK(ready.number("pid") == 1);
    checkThatOrphansAreReaped(nursery, outside, firstChild(outside.pid()), static_cast<int>(ready.number("port")));
}

TEST_CASE("05: as a subreaper it reaps orphans and takes none of them for its own") {
    OrphansNursery nursery;
    const Process process(nursery.command(), {.adoptsOrphans = true});
    const Event ready = process.waitForEvent("ready");
    CHECK(ready.number("pid") == process.pid());
    checkThatOrphansAreReaped(nursery, process, process.pid(), static_cast<int>(ready.number("port")));
}
