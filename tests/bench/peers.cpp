#include "peers.h"

#include <csignal>
#include <fstream>
#include <system_error>

#include "contestant.h"
#include "process.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

// Deadlines of two seconds for all who have one: what hangs is told from what waits, in less time.
const Words hello{"--path", "/hello?work={ms}ms", "--timeout", "2s"};
const Words streamAndUpload{"--stream-path", "/stream?work={ms}ms", "--upload-path", "/upload"};

Words joined(Words first, const Words& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

bool isInstalled(const std::string& program, const std::string& versionOption) {
    try {
        test::Process({program, versionOption}).waitForExit(20s);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

/// Writes a file; `PORT` in it becomes the port when the server starts, in a file of its own. The
/// shell replaces itself, so that the signals go to the server.
Words configured(const std::filesystem::path& folder, const std::string& name, const std::string& content,
                 const std::string& start) {
    const std::string file = folder / name;
    std::ofstream(file) << content;
    return {"sh", "-c", "sed s/PORT/{port}/g " + file + " > " + file + ".{port} && exec " + start + " " + file + ".{port}"};
}

Words nginx(const std::filesystem::path& folder, int backend) {
    const std::string temporary = folder;
    return configured(folder, "nginx.conf",
                      "daemon off;\npid " + temporary + "/nginx-PORT.pid;\nerror_log stderr crit;\nworker_processes 2;\n"
                      "worker_shutdown_timeout 2s;\nevents { worker_connections 12000; }\nhttp {\n"
                      "  access_log off;\n  keepalive_requests 1000000;\n  client_body_temp_path " + temporary +
                      ";\n  proxy_temp_path " + temporary + ";\n  fastcgi_temp_path " + temporary +
                      ";\n  uwsgi_temp_path " + temporary + ";\n  scgi_temp_path " + temporary +
                      ";\n  upstream backend { server 127.0.0.1:" + std::to_string(backend) + "; keepalive 64; }\n"
                      "  server {\n    listen 127.0.0.1:PORT;\n    location / {\n      proxy_pass http://backend;\n"
                      "      proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n"
                      "      proxy_request_buffering off;\n      proxy_buffering off;\n    }\n  }\n}\n",
                      "nginx -c");
}

Words haproxy(const std::filesystem::path& folder, int backend) {
    return configured(folder, "haproxy.cfg",
                      "global\n  hard-stop-after 2s\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n"
                      "  timeout server 60s\n  timeout http-request 10s\nlisten peer\n  bind 127.0.0.1:PORT\n"
                      "  server backend 127.0.0.1:" + std::to_string(backend) + "\n",
                      "haproxy -W -db -f");
}

void addOurs(Peers& peers, const std::filesystem::path& folder) {
    const auto stage = [&](const std::string& name, const std::string& program, const Words& arguments, const Words& options) {
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

/// The same command for a port that is given as `--port N` behind it.
Contestant asContestant(const std::string& name, Words command, int signal) {
    std::string& script = command.back();
    for (std::size_t at = script.find("{port}"); at != std::string::npos; at = script.find("{port}")) {
        script.replace(at, 6, "$2");
    }
    command.emplace_back("sh");
    return {name, command, signal};
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
          {"nginx", false, joined(options, {"--signal", "QUIT", "--restart-signal", "HUP"}), nginx(folder, backend)});
    addIf(isInstalled("haproxy", "-v"), "left out: HAProxy (package haproxy)",
          {"HAProxy", false, joined(options, {"--signal", "USR1", "--restart-signal", "USR2"}), haproxy(folder, backend)});
    return peers;
}

std::vector<Contestant> strongPeers(const std::filesystem::path& folder, int backend) {
    std::vector<Contestant> peers;
    if (const auto go = goNetHttp()) {
        peers.push_back(*go);
    }
    if (isInstalled("nginx", "-v")) {
        peers.push_back(asContestant("nginx", nginx(folder, backend), SIGQUIT));
    }
    if (isInstalled("haproxy", "-v")) {
        peers.push_back(asContestant("HAProxy", haproxy(folder, backend), SIGUSR1));
    }
    return peers;
}

}  // namespace lifecycle::bench
