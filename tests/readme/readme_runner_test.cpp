// The runner as its users see it: small READMEs, and what it says about them.

#include "catch.h"
#include "process.h"
#include "temp_dir.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

using namespace std::chrono_literals;
using lifecycle::test::Clock;
using lifecycle::test::Process;
using lifecycle::test::TempDir;

namespace {

struct Run {
    int code;
    std::string output;
    std::string readme; ///< afterwards
};

/// Runs the runner on a README with this text, at the root of a repository of its own.
class Repository {
public:
    Run run(const std::string& readme, std::vector<std::string> options = {}) const {
        const auto file = root_.write("README.md", readme);
        std::vector<std::string> argv{README_RUNNER};
        argv.insert(argv.end(), options.begin(), options.end());
        argv.push_back("README.md");
        const Process runner(argv, {.directory = root_.path().string()});
        const auto status = runner.waitForExit(60s);
        std::ifstream stream(file);
        Run result{status.code, runner.standardOutput(),
                   std::string(std::istreambuf_iterator<char>(stream), {})};
        UNSCOPED_INFO(result.output);
        return result;
    }

    void addScript(const std::string& name, const std::string& text) const {
        ::chmod(root_.write(name, text).c_str(), 0755);
    }

private:
    TempDir root_;
};

std::string block(const std::string& content, const std::string& options = "") {
    return "# Title\n\n```console" + options + "\n" + content + "```\n\nMore.\n";
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("readme: a README that shows what happens passes") {
    const auto run = Repository().run(block("$ echo hello; seq 2\n"
                                            "hello\n1\n2\n"
                                            "$ false\n"
                                            "$ echo $?\n"
                                            "1\n"
                                            "$ printf 'no newline'\n"
                                            "no newline\n"));
    CHECK(run.code == 0);
    CHECK(contains(run.output, "ok    README.md:4\n"));
    CHECK(contains(run.output, "1 as shown, 0 not, 0 skipped"));
}

TEST_CASE("readme: a README that shows something else fails with its line and both texts") {
    const auto run = Repository().run(block("$ echo hello; echo again\nhello\nnever\n"));
    CHECK(run.code == 1);
    CHECK(contains(run.output, "FAIL  README.md:6: terminal 1 printed\n\n        again\n\n"
                               "    where the README shows\n\n        never\n"));
    CHECK(contains(run.output, "        $ echo hello; echo again\n"
                               "        hello\n"
                               "      - never\n"
                               "      + again\n"));
}

TEST_CASE("readme: a line too many fails and so does a line too few") {
    CHECK(contains(Repository().run(block("$ seq 2\n1\n2\n3\n")).output,
                   "README.md:7: terminal 1 did not print this line before its commands ended:\n\n"
                   "        3\n"));
    CHECK(contains(Repository().run(block("$ seq 2\n1\n")).output,
                   "README.md:4: terminal 1 printed\n\n        2\n\n"
                   "    where the README shows no more output\n"));
}

TEST_CASE("readme: every block is carried out although one fails") {
    const auto run = Repository().run(block("$ echo a\nb\n") + block("$ echo a\na\n"));
    CHECK(run.code == 1);
    CHECK(contains(run.output, "1 as shown, 1 not, 0 skipped"));
}

TEST_CASE("readme: output that does not come in time fails") {
    const auto beganAt = Clock::now();
    const auto run = Repository().run(block("$ sleep 60 &\n[1] 4711\ndone\n", " timeout=1s"));
    CHECK(run.code == 1);
    CHECK(contains(run.output, "terminal 1 did not print this line in time:\n\n        done\n"));
    CHECK(Clock::now() - beganAt < 30s);
}

TEST_CASE("readme: a block must not end in the middle of a command") {
    const auto run = Repository().run(block("$ sleep 60\n", " timeout=1s"));
    CHECK(run.code == 1);
    CHECK(contains(run.output, "the block ends while terminal 1 is still busy"));
}

TEST_CASE("readme: a command is not typed into one that still runs") {
    const auto run = Repository().run(block("$ sleep 60\n$ echo\n", " timeout=1s"));
    CHECK(run.code == 1);
    CHECK(contains(run.output, "README.md:5: the command of this line cannot be typed"));
}

TEST_CASE("readme: control keys reach what runs in the foreground") {
    const auto run = Repository().run(block("1$ sleep 60\n"
                                            "1$ ^C\n"
                                            "1$ echo $?\n"
                                            "130\n"
                                            "1$ sleep 60 | cat\n"
                                            "1$ ^\\\n"
                                            "[...]\n"
                                            "1$ echo $?\n"
                                            "131\n"
                                            "1$ sleep 60\n"
                                            "1$ ^Z\n"
                                            "[1]+  Stopped[..]sleep 60\n"
                                            "1$ cat\n"
                                            "1$ ^D\n"
                                            "1$ kill -KILL %1; wait\n"
                                            "[...]\n"));
    CHECK(run.code == 0);
}

TEST_CASE("readme: a program that handles the key goes on to its end") {
    const auto run = Repository().run(
        block("1$ bash -c 'trap \"echo got it; exit 7\" INT; echo ready; \\\n"
              "   while :; do sleep 0.01; done'\n"
              "ready\n"
              "1$ ^C\n"
              "got it\n"
              "1$ echo $?\n"
              "7\n"));
    CHECK(run.code == 0);
}

TEST_CASE("readme: two terminals wait for each other by what they print") {
    const auto run = Repository().run(block("1$ mkfifo go; echo waiting; cat go\n"
                                            "waiting\n"
                                            "2$ echo two; echo one >go\n"
                                            "1> one\n"
                                            "two\n"
                                            "1$ echo end\n"
                                            "end\n"));
    CHECK(run.code == 0);
}

TEST_CASE("readme: variables and jobs live through a block and end with it") {
    const auto run = Repository().run(block("$ x=1; sleep 60 &\n"
                                            "[1] 4711\n"
                                            "$ echo $x; kill $!; wait $! 2>/dev/null; echo $?\n"
                                            "1\n"
                                            "143\n"
                                            "2$ echo \"[$x]\"\n"
                                            "[]\n") +
                                      block("$ echo \"[$x]\"; jobs\n[]\n"));
    CHECK(run.code == 0);
}

TEST_CASE("readme: what the shell says about jobs may be left out") {
    const auto run = Repository().run(block("$ for i in 1 2; do echo $i & wait; done; sleep 60 &\n"
                                            "1\n"
                                            "2\n"
                                            "$ kill %sleep; wait; echo end\n"
                                            "end\n"));
    CHECK(run.code == 0);
}

TEST_CASE("readme: nothing that a block started is left afterwards") {
    const auto run = Repository().run(block("$ (setsid sleep 61 & echo $! >pid)\n") +
                                      block("$ kill -0 $(cat pid) 2>/dev/null; echo $?\n1\n"));
    CHECK(run.code == 0);
}

TEST_CASE("readme: pidof finds the processes of this README and no others") {
    const Process other({"sleep", "60"});
    const auto run = Repository().run(block("1$ sleep 60\n"
                                            "2$ until kill $(pidof sleep) 2>/dev/null; do :; done\n"
                                            "1> Terminated[..]\n"));  // some shells add the command
    CHECK(run.code == 0);
    CHECK_FALSE(other.exitStatus());
}

TEST_CASE("readme: the order of lines is free where a block says so") {
    const std::string content = "$ echo b; echo a\na\nb\n";
    CHECK(Repository().run(block(content)).code == 1);
    CHECK(Repository().run(block(content, " any-order")).code == 0);
}

TEST_CASE("readme: a block is skipped where a command that it needs is missing") {
    const auto run =
        Repository().run(block("$ no_such_command\n", " skip-if-missing=no_such_command"));
    CHECK(run.code == 77);
    CHECK(contains(run.output, "skip  README.md:4: no_such_command is not installed"));
    CHECK(Repository().run(block("$ echo a\na\n", " skip-if-missing=bash")).code == 0);
}

TEST_CASE("readme: lab test is looked up in lab help and not run") {
    const Repository repository;
    repository.addScript("lab", "#!/bin/sh\n"
                                "[ \"$1\" = help ] && echo '  test [NN]   run' || exit 1\n");
    CHECK(repository.run(block("$ ./lab test\nwhatever it prints\n$ ./lab test 03\n")).code == 0);

    repository.addScript("lab", "#!/bin/sh\necho '  demo   run the latest'\n");
    const auto run = repository.run(block("$ ./lab test\n"));
    CHECK(run.code == 1);
    CHECK(contains(run.output, "./lab help lists no command 'test'"));
}

TEST_CASE("readme: commands run at the root and can tell that a README runs them") {
    const Repository repository;
    repository.addScript("lab", "#!/bin/sh\necho \"$1 $LAB_README_RUNNER\"\n");
    CHECK(repository.run(block("$ ./lab demo\ndemo 1\n")).code == 0);
}

TEST_CASE("readme: a mistake in a README names its line") {
    const auto run = Repository().run(block("$ ls\n", " no-run"));
    CHECK(run.code == 1);
    CHECK(contains(run.output, "FAIL  README.md: line 3: 'no-run' is no option"));
}

TEST_CASE("readme: promote writes what is printed and the README passes then") {
    const Repository repository;
    const auto promoted = repository.run(block("$ echo one; sleep 0.1; echo two\n"
                                               "[..]ne\n"
                                               "three\n"
                                               "1$ sleep 60\n"
                                               "1$ ^C\n"
                                               "1$ echo $?; echo 'pid=4711'\n"
                                               "130\n"
                                               "pid=1\n"
                                               "2$ echo other\n") +
                                             "   ```console\n   $ seq 3\n   ```\n",
                                         {"--promote"});
    CHECK(promoted.code == 0);
    CHECK(promoted.readme == block("$ echo one; sleep 0.1; echo two\n"
                                   "[..]ne\n"
                                   "two\n"
                                   "1$ sleep 60\n"
                                   "1$ ^C\n"
                                   "1$ echo $?; echo 'pid=4711'\n"
                                   "130\n"
                                   "pid=1\n"
                                   "2$ echo other\n"
                                   "other\n") +
                                 "   ```console\n   $ seq 3\n   1\n   2\n   3\n   ```\n");
    CHECK(repository.run(promoted.readme).code == 0);
}

TEST_CASE("readme: the runner refuses to guess what to do") {
    CHECK(Process({README_RUNNER}).waitForExit(10s).code == 64);
    CHECK(Process({README_RUNNER, "--nonsense"}).waitForExit(10s).code == 64);
    CHECK(Process({README_RUNNER, "--help"}).waitForExit(10s).code == 0);
    CHECK(Process({README_RUNNER, "nowhere/README.md"}).waitForExit(10s).code == 1);
}
