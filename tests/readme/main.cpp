// readme_runner: proves that the console blocks of a README show what really happens.
// How blocks are written stands in script.h.

#include "failure_report.h"
#include "needed_commands.h"
#include "promote.h"
#include "readme_file.h"
#include "session.h"

#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace lifecycle::readme;

constexpr int exitUsage = 64;
constexpr int exitAllSkipped = 77; // what automake and CTest take for "skipped"

const char* const usage = R"(Usage: readme_runner [--promote|--retake] README...

Carries out every console block of each README from the current directory, the root of the
repository, and compares what is printed with what is shown.

  --promote   write what is printed into the README instead, where it differs
  --retake    as --promote, and also where nothing but times, pids and the like differ
  --help      this text

Exit code: 0 all as shown, 1 something differs, 64 usage error, 77 every block was skipped.
)";

struct Tally {
    int passed = 0;
    int failed = 0;
    int skipped = 0;
};

/// What became of one block.
void say(const char* verdict, const ReadmeFile& file, const ConsoleBlock& block) {
    std::cout << verdict << file.name() << ':' << block.firstLine << std::endl;
}

bool skips(const ReadmeFile& file, const ConsoleBlock& block, Tally& tally) {
    const auto missing = firstMissingCommand(block.options.neededCommands);
    if (missing) {
        std::cout << "skip  " << file.name() << ':' << block.firstLine << ": " << *missing
                  << " is not installed" << std::endl;
        ++tally.skipped;
    }
    return missing.has_value();
}

void checkReadme(const ReadmeFile& file, const Places& places, Tally& tally) {
    for (const ConsoleBlock& block : file.blocks()) {
        if (skips(file, block, tally)) {
            continue;
        }
        const Script script = parseScript(block);
        const SessionResult result = Session(script, places, Purpose::check).run();
        if (result.failure) {
            ++tally.failed;
            std::cout << "FAIL  " << failureReport(file.name(), script, result)
                      << "\n    If what is printed is right: readme_runner --promote "
                      << file.name() << '\n'
                      << std::endl;
        } else {
            ++tally.passed;
            say("ok    ", file, block);
        }
    }
}

void promoteReadme(ReadmeFile& file, const Places& places, OldLines oldLines, Tally& tally) {
    std::vector<std::pair<ConsoleBlock, std::vector<std::string>>> changes;
    for (const ConsoleBlock& block : file.blocks()) {
        if (skips(file, block, tally)) {
            continue;
        }
        const Script script = parseScript(block);
        const SessionResult result = Session(script, places, Purpose::record).run();
        if (result.failure) {
            ++tally.failed;
            std::cout << "FAIL  " << failureReport(file.name(), script, result) << std::endl;
            continue;
        }
        ++tally.passed;
        auto promoted = promote(script, result.printed, oldLines);
        const bool changed = promoted != block.lines;
        say(changed ? "new   " : "ok    ", file, block);
        if (changed) {
            changes.emplace_back(block, std::move(promoted));
        }
    }
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
        file.replace(change->first, change->second);
    }
    if (!changes.empty()) {
        file.save();
    }
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> files(argv + 1, argv + argc);
    bool promoting = false;
    if (!files.empty() && files.front() == "--help") {
        std::cout << usage;
        return 0;
    }
    OldLines oldLines = OldLines::keep;
    if (!files.empty() && (files.front() == "--promote" || files.front() == "--retake")) {
        promoting = true;
        oldLines = files.front() == "--retake" ? OldLines::retake : OldLines::keep;
        files.erase(files.begin());
    }
    if (files.empty() || files.front().starts_with("-")) {
        std::cerr << usage;
        return exitUsage;
    }

    const Places places{std::filesystem::current_path(),
                        std::filesystem::read_symlink("/proc/self/exe").parent_path()};
    Tally tally;
    for (const std::string& name : files) {
        try {
            ReadmeFile file(name);
            promoting ? promoteReadme(file, places, oldLines, tally) : checkReadme(file, places, tally);
        } catch (const std::exception& error) {
            ++tally.failed;
            std::cout << "FAIL  " << name << ": " << error.what() << std::endl;
        }
    }
    std::cout << tally.passed << " as shown, " << tally.failed << " not, " << tally.skipped
              << " skipped" << std::endl;
    if (tally.failed > 0) {
        return 1;
    }
    return tally.passed == 0 && tally.skipped > 0 ? exitAllSkipped : 0;
}
