#include "rivals.h"

#include <csignal>
#include <filesystem>
#include <optional>

#include "proxies.h"
#include "temp_dir.h"

namespace lifecycle::bench {
namespace {

const std::filesystem::path& folder() {
    static const test::TempDir folder;
    std::filesystem::permissions(folder.path(), std::filesystem::perms::all);  // nginx's workers are nobody
    return folder.path();
}

/// The same command for a port that is given as `--port N` behind it.
Contestant asContestant(const std::string& name, std::vector<std::string> command, int signal) {
    std::string& script = command.back();
    for (std::size_t at = script.find("{port}"); at != std::string::npos; at = script.find("{port}")) {
        script.replace(at, 6, "$2");
    }
    command.emplace_back("sh");
    return {name, command, signal, false};
}

Rivals rivalsWith(std::optional<int> backend, const Effort& effort) {
    Rivals rivals;
    const auto add = [&](const std::optional<Contestant>& rival, const char* missing) {
        if (rival) {
            rivals.all.push_back(*rival);
        } else {
            rivals.notes.emplace_back(missing);
        }
    };
    add(goNetHttp(), goIsMissing);
    if (!effort.peers) {
        return rivals;
    }
    if (!backend) {  // There a request is in flight at the end, which it drops.
        add(beast(), beastIsMissing);
    }
    add(httplib(), httplibIsMissing);
    if (isInstalled("nginx", "-v")) {
        rivals.all.push_back(asContestant("nginx", nginxCommand(folder(), backend), SIGQUIT));
        rivals.notes.emplace_back("nginx ends by SIGQUIT, its signal for a graceful end");
    } else {
        rivals.notes.emplace_back("left out: nginx (package nginx)");
    }
    if (isInstalled("haproxy", "-v")) {
        rivals.all.push_back(asContestant("HAProxy", haproxyCommand(folder(), backend, Master::without), SIGUSR1));
        rivals.notes.emplace_back("HAProxy ends by SIGUSR1, and runs without its master (-W), which loses a signal "
                                  "that comes while it loads");
    } else {
        rivals.notes.emplace_back("left out: HAProxy (package haproxy)");
    }
    return rivals;
}

}  // namespace

Rivals rivals(const Effort& effort) {
    Rivals rivals = rivalsWith(std::nullopt, effort);
    if (effort.peers) {
        rivals.notes.emplace_back("nginx and HAProxy have their answer in the configuration, and do no work for it");
    }
    return rivals;
}

Rivals rivalsBefore(int backend, const Effort& effort) {
    return rivalsWith(backend, effort);
}

}  // namespace lifecycle::bench
