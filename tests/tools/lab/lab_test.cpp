#include "catch.h"
#include "process.h"
#include "temp_dir.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

struct Run {
    int code;
    std::string output;
    std::string errors;
};

/// A copy of `lab` among tools that the test chooses: nothing is installed, nothing is built.
class Lab {
public:
    Lab() {
        fs::copy_file(SOURCE_DIR "/lab", directory_.path() / "lab");
        fs::create_directories(directory_.path() / "tools");
        fs::create_directories(directory_.path() / "build/bin");
        fs::create_symlink(SOURCE_DIR "/03_http_shutdown", directory_.path() / "03_http_shutdown");
        fs::create_symlink(STAGE_BIN_DIR "/timeline", directory_.path() / "build/bin/timeline");
        provide("cmake", "[ \"$1\" = --version ] || echo \"$@\" >>built; echo cmake version 3.25.1");
        provide("make", "echo GNU Make 4.3");
        // All that lab asks of the compiler: its own version, and those of the libraries.
        provide("g++", "[ \"$1\" = --version ] && echo 'g++ 12.2.0' && exit; "
                       "grep -q POCO_VERSION && echo 0x010B0000 || echo 2 13");
    }

    /// Puts a program in front of all others of this name.
    void provide(const std::string& tool, const std::string& script) const {
        writeScript("tools/" + tool, script);
    }
    /// The same for what has been built.
    void build(const std::string& program, const std::string& script) const {
        writeScript("build/bin/" + program, script);
    }
    void miss(const std::string& tool) const { provide(tool, "exit 127"); }

    std::unique_ptr<Process> start(const std::vector<std::string>& arguments) const {
        std::vector<std::string> command{directory_.path() / "lab"};
        command.insert(command.end(), arguments.begin(), arguments.end());
        auto process = std::make_unique<Process>(
            command, ProcessOptions{.environment = {
                         "PATH=" + (directory_.path() / "tools").string() + ":" + std::getenv("PATH"), "CXX=g++",
                         "PRESET=release", "JOBS=2", "LAB_LOCKED="}});
        process->neverPrintLog();
        return process;
    }

    Run run(const std::vector<std::string>& arguments) const {
        const auto process = start(arguments);
        const int code = process->waitForExit(100s).code;
        return {code, process->standardOutput(), errorsOf(*process)};
    }

    static std::string errorsOf(const Process& process) {
        std::string errors;
        for (const CapturedLine& line : process.standardError()) {
            errors += line.text + "\n";
        }
        return errors;
    }

    fs::path path() const { return directory_.path(); }

    std::string file(const std::string& name) const {
        std::ifstream file(directory_.path() / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    void writeScript(const std::string& name, const std::string& script) const {
        fs::permissions(directory_.write(name, "#!/bin/bash\n" + script + "\n"), fs::perms::owner_all);
    }

    TempDir directory_;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const std::string install = "apt-get update && apt-get install -y --no-install-recommends";

} // namespace

TEST_CASE("lab: doctor names each missing thing and the one command that installs it") {
    const Lab complete;
    const Run nothing = complete.run({"doctor"});
    CAPTURE(nothing.output, nothing.errors);
    CHECK(nothing.code == 0);
    CHECK(contains(nothing.output, "Nothing is missing."));
    CHECK(contains(nothing.output, "libpoco-dev  1.11.0\n"));
    CHECK(contains(nothing.output, "catch2       2.13\n"));

    for (const std::string tool : {"cmake", "make", "curl"}) {
        const Lab lab;
        lab.miss(tool);
        const Run one = lab.run({"doctor"});
        CAPTURE(tool, one.output);
        CHECK(one.code == 1);
        CHECK(contains(one.output, tool + std::string(13 - tool.size(), ' ') + "missing\n"));
        CHECK(contains(one.output, install + " " + tool + "\n"));
    }

    const Lab withoutLibraries;
    withoutLibraries.provide("g++", "[ \"$1\" = --version ] && echo 'g++ 12.2.0'");
    CHECK(contains(withoutLibraries.run({"doctor"}).output, install + " libpoco-dev catch2\n"));

    const Lab bare;
    for (const std::string tool : {"g++", "cmake", "make", "curl"}) {
        bare.miss(tool);
    }
    const Run all = bare.run({"doctor"});
    CHECK(all.code == 1);
    CHECK(contains(all.output, install + " g++ cmake make libpoco-dev catch2 curl\n"));
}

TEST_CASE("lab: what is missing is installed by root and by sudo, and otherwise the command is printed") {
    const std::string asRoot = "[ \"$1\" = -u ] && echo 0";
    const std::string asUser = "[ \"$1\" = -u ] && echo 1000";
    // Installs by making the tool work, and tells how it was called.
    const std::string installMake = "echo \"$@\" >>calls; case $* in *'install -y'*make) "
                                     "printf '#!/bin/bash\\necho GNU Make 4.3\\n' >tools/make;; esac";
    const auto missingMake = [&](const std::string& user, const std::string& sudo) {
        auto lab = std::make_unique<Lab>();
        lab->miss("make");
        lab->provide("id", user);
        lab->provide("sudo", sudo);
        lab->provide("apt-get", installMake);
        lab->provide("ctest", "[ \"$1\" = --preset ] && echo '100% tests passed'; exit 0");
        return lab;
    };
    const auto root = missingMake(asRoot, "exit 1");
    const Run byRoot = root->run({"build"});
    CAPTURE(byRoot.output, byRoot.errors, root->file("calls"));
    CHECK(byRoot.code == 0);
    CHECK(contains(root->file("calls"), "install -y --no-install-recommends make\n"));

    const auto user = missingMake(asUser, "[ \"$1\" = -n ] && exit; exec \"$@\"");
    CHECK(user->run({"build"}).code == 0);
    CHECK(contains(user->file("calls"), "install -y --no-install-recommends make\n"));

    const auto nobody = missingMake(asUser, "exit 1");
    const Run refused = nobody->run({"build"});
    CHECK(refused.code == 69);
    CHECK(contains(refused.errors, install + " make\n"));
    CHECK(nobody->file("calls").empty());
}

TEST_CASE("lab: the demo shows a request that survives SIGTERM and fails if it does not") {
    const std::string real = STAGE_BIN_DIR "/03_http_shutdown";
    const Lab lab;
    lab.build("03_http_shutdown", "exec " + real + " \"$@\"");
    const Run good = lab.run({"demo"});
    CAPTURE(good.output, good.errors);
    CHECK(good.code == 0);
    CHECK(contains(good.output, "the slow request got: hello 200 (curl exit code 0)"));
    CHECK(contains(good.output, "a new connection is refused (curl exit code 7)"));
    CHECK(contains(good.output, "drain.end"));
    CHECK(contains(good.output, "The same as a picture:"));
    CHECK(contains(good.output, "exit 0"));

    for (const auto& [server, complaint] : std::vector<std::pair<std::string, std::string>>{
             {"exec " + real + " \"$@\" --strategy stop", ""}, // resets who is in line
             {"exec " + real + " \"$@\" --lame-duck 30s", "5 seconds after SIGTERM a new connection is still answered"},
             {"exec " + real + " \"$@\" --timeout 1s", "the slow request did not get 200 hello"},
             {real + " \"$@\"; exit 3", "the server's exit code is 3, not 0"},
             {"exit 69", "the stage ended before its event 'ready'"}}) {
        const Lab other;
        other.build("03_http_shutdown", server);
        const Run bad = other.run({"demo"});
        CAPTURE(server, bad.output, bad.errors);
        CHECK(bad.code == 1);
        CHECK(contains(bad.output, "This is not what should happen: " + complaint));
    }
}

TEST_CASE("lab: a failed test makes the command fail and the last line says so") {
    const Lab lab;
    lab.provide("ctest", "[ \"$1\" = --preset ] || exit 0; mkdir -p build/Testing/Temporary; "
                         "printf '1/735 Testing: page\\nskipped: no browser\\n' >build/Testing/Temporary/LastTest.log; "
                         "echo '99% tests passed, 1 tests failed out of 735'; exit 8");
    const Run run = lab.run({"test"});
    CAPTURE(run.output, run.errors);
    CHECK(run.code == 1);
    CHECK(contains(run.output, "Not run, and why:\n  page: no browser\n"));
    CHECK(run.output.ends_with("\n99% tests passed, 1 tests failed out of 735\n"));
}

TEST_CASE("lab: what it does not know is a usage error that says what there is") {
    const Lab lab;
    for (const auto& [arguments, complaint] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"tset"}, "unknown command 'tset'"},
             {{"demo", "09"}, "there is no stage '09', only: 03"},
             {{"build", "09"}, "there is no stage '09', only: 03"},
             {{"tset", "--help"}, "unknown command 'tset'"},
             {{"check"}, "check needs the command of a server, with {port} for its port"},
             {{"check", "--", "server"}, "check needs the command of a server, with {port} for its port"},
             {{"demo", "03", "04"}, "too many arguments after 'demo'"}}) {
        const Run run = lab.run(arguments);
        CAPTURE(run.errors);
        CHECK(run.code == 64);
        CHECK(contains(run.errors, "lab: " + complaint));
        CHECK(lab.file("built").empty());
    }
}

TEST_CASE("lab: --help of every command is a text, and builds nothing") {
    const Lab lab;
    for (const std::string command : {"demo", "test", "build", "doctor", "bench", "check"}) {
        const Run run = lab.run({command, "--help"});
        CAPTURE(command, run.errors);
        CHECK(run.code == 0);
        CHECK(contains(run.output, "Usage: ./lab COMMAND"));
    }
    CHECK(lab.file("built").empty());
    lab.build("drain_check", "echo its options");
    CHECK(contains(lab.run({"check", "--help"}).output, "its options"));
}

TEST_CASE("lab: one stage is built alone, and its number needs no zero") {
    const Lab lab;
    CHECK(lab.run({"build", "3"}).code == 0);
    CHECK(contains(lab.file("built"), "--target 03_http_shutdown"));
}

TEST_CASE("lab: a long build is announced with the time that it may take") {
    const Lab lab;
    lab.provide("cmake", "case \"$*\" in --version) echo cmake version 3.25.1;; "
                         "--preset*) for ((i = 0; i < 100; i++)); do echo $i.cpp.o: flags.make; done >build/build.make;; esac");
    const Run run = lab.run({"build"});
    CHECK(run.code == 0);
    CHECK(contains(run.output, "100 files to compile, 2 at a time. Expect 1 to 4 minutes.\n"));
    CHECK_FALSE(contains(Lab().run({"build"}).output, "Expect"));
}

TEST_CASE("lab: two builds of one folder come one after the other, and a test may call lab") {
    const Lab lab;
    // A build that blocks until the test lets it finish.
    lab.provide("cmake", "case \"$*\" in --version) echo cmake version 3.25.1; exit;; --preset*) exit;; esac; "
                         "echo begin >>story; until [ -e go ]; do sleep 0.01; done; echo end >>story");
    const auto first = lab.start({"build"});
    REQUIRE(eventually([&] { return lab.file("story") == "begin\n"; }, 20s));
    const auto second = lab.start({"build"});
    REQUIRE(eventually([&] { return contains(Lab::errorsOf(*second), "Waiting for another ./lab that uses build/."); }, 20s));
    CHECK(lab.file("story") == "begin\n");
    lab.provide("go", "");
    fs::rename(lab.path() / "tools/go", lab.path() / "go");
    CHECK(first->waitForExit(20s).code == 0);
    CHECK(second->waitForExit(20s).code == 0);
    CHECK(lab.file("story") == "begin\nend\nbegin\nend\n");

    lab.provide("ctest", "[ \"$1\" = --preset ] || exit 0; mkdir -p build/Testing/Temporary; "
                         ">build/Testing/Temporary/LastTest.log; ./lab build && echo '100% tests passed'");
    const Run nested = lab.run({"test"});
    CAPTURE(nested.output, nested.errors);
    CHECK(nested.code == 0);
    CHECK(contains(nested.output, "100% tests passed"));
}
