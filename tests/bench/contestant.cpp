#include "contestant.h"

#include <exception>
#include <filesystem>

#include "process.h"
#include "temp_dir.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;

/// A folder with the built program, or nothing if it cannot be built. The Go toolchain is asked to
/// stay offline: the program needs nothing but the standard library.
std::optional<Contestant> buildGoNetHttp(const std::filesystem::path& folder) {
    const std::string program = folder / "go_http";
    try {
        const test::Process build({"go", "build", "-o", program, PEERS_DIR "/go_http.go"},
                                  {.environment = {"GOPROXY=off", "GOTOOLCHAIN=local"}});
        if (build.waitForExit(5min).code != 0) {
            return std::nullopt;
        }
    } catch (const std::exception&) {
        return std::nullopt;  // there is no Go
    }
    return Contestant{goName, {program}};
}

std::optional<Contestant> builtPeer(const char* name, const char* program) {
    return std::filesystem::exists(program) ? std::optional<Contestant>({name, {program}}) : std::nullopt;
}

}  // namespace

Contestant stage(const std::string& strategy, const std::vector<std::string>& options) {
    Contestant contestant{strategy, {STAGE_BIN_DIR "/03_http_shutdown", "--strategy", strategy}};
    contestant.command.insert(contestant.command.end(), options.begin(), options.end());
    return contestant;
}

Contestant plainPoco() {
    return {"plain Poco, no events", {PLAIN_POCO}};
}

std::optional<Contestant> goNetHttp() {
    static const test::TempDir folder;
    static const std::optional<Contestant> built = buildGoNetHttp(folder.path());
    return built;
}

std::optional<Contestant> beast() {
    return builtPeer("Boost.Beast", PEERS_BIN_DIR "/beast_server");
}

std::optional<Contestant> httplib() {
    return builtPeer("cpp-httplib", PEERS_BIN_DIR "/httplib_server");
}

}  // namespace lifecycle::bench
