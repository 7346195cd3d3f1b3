#include "peers.h"

#include "contestant.h"
#include "proxies.h"

namespace lifecycle::bench {
namespace {

using Words = std::vector<std::string>;

// Deadlines of two seconds for all who have one: what hangs is told from what waits, in less time.
const Words hello{"--path", "/hello?work={ms}ms", "--timeout", "2s"};
const Words streamAndUpload{"--stream-path", "/stream?work={ms}ms", "--upload-path", "/upload"};

Words joined(Words first, const Words& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

void addOurs(Peers& peers, const std::filesystem::path& folder) {
    const auto stage = [&](const std::string& name, const std::string& program, const Words& arguments,
                           const Words& options) {
        const std::string path = STAGE_BIN_DIR "/" + program;
        if (std::filesystem::exists(path)) {
            peers.all.push_back({name, true, joined(joined(hello, {"--ready-path", "/readyz"}), options),
                                 joined({path, "--port", "{port}"}, arguments)});
        }
    };
    stage("stage 03", "03_http_shutdown", {"--timeout", "2s"}, {});
    stage("stage 04", "04_hooks", {"--timeout", "2s", "--admin-port", "0", "--db", folder / "orders-{port}.db"},
          {"--upload-path", "/orders"});
    stage("stage 05", "05_hot_restart",
          {"--drain-timeout", "2s", "--rollback-window", "500ms", "--keepalive-grace", "100ms"},
          {"--restart-signal", "HUP", "--upload-path", "/echo", "--stream-path", "/stream?chunks=2&every={ms}ms"});
    stage("stage 06", "06_docker", {"--timeout", "2s", "--address", "127.0.0.1"}, {});
    peers.all.push_back({"library", true, joined(joined(hello, {"--ready-path", "/readyz"}), streamAndUpload),
                         {LIBRARY_SERVER, "--port", "{port}", "--timeout", "2s"}});
}

}  // namespace

Peers availablePeers(const std::filesystem::path& folder, int backend) {
    Peers peers;
    addOurs(peers, folder);
    for (const char* strategy : {"stopall", "stop"}) {
        peers.all.push_back({strategy == std::string("stop") ? "Poco stop" : "Poco stopAll", false,
                             joined(hello, {"--ready-path", "/readyz"}),
                             {STAGE_BIN_DIR "/03_http_shutdown", "--port", "{port}", "--strategy", strategy}});
    }
    const Words options = joined(hello, streamAndUpload);
    if (const auto go = goNetHttp()) {
        const std::string program = go->command.front();
        peers.all.push_back({"Go Shutdown", false, options, {program, "-port", "{port}", "-timeout", "2s"}});
        peers.all.push_back({"Go, no signals", false, options, {program, "-port", "{port}", "-naive"}});
    } else {
        peers.leftOut.emplace_back(goIsMissing);
    }
    const auto addBuilt = [&](const std::optional<Contestant>& built, const char* missing) {
        if (built) {
            peers.all.push_back({built->name, false, options, {built->command.front(), "--port", "{port}"}});
        } else {
            peers.leftOut.emplace_back(missing);
        }
    };
    addBuilt(beast(), beastIsMissing);
    addBuilt(httplib(), httplibIsMissing);
    const auto addIf = [&](bool there, const char* missing, const Peer& peer) {
        if (there) {
            peers.all.push_back(peer);
        } else {
            peers.leftOut.emplace_back(missing);
        }
    };
    addIf(isInstalled("python3", "--version"), "left out: Python (package python3)",
          {"Python", false, options, {"python3", PEERS_DIR "/python_http.py", "{port}"}});
    addIf(isInstalled("node", "--version"), "left out: Node (package nodejs)",
          {"Node", false, options, {"node", PEERS_DIR "/node_http.js", "{port}"}});
    // Both have a signal of their own for a graceful end, and one for a hot restart.
    addIf(isInstalled("nginx", "-v"), "left out: nginx (package nginx)",
          {"nginx", false, joined(options, {"--signal", "QUIT", "--restart-signal", "HUP"}),
           nginxCommand(folder, backend)});
    addIf(isInstalled("haproxy", "-v"), "left out: HAProxy (package haproxy)",
          {"HAProxy", false, joined(options, {"--signal", "USR1", "--restart-signal", "USR2"}),
           haproxyCommand(folder, backend, Master::with)});
    return peers;
}

}  // namespace lifecycle::bench
