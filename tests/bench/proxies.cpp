#include "proxies.h"

#include <exception>
#include <fstream>

#include "process.h"

namespace lifecycle::bench {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

/// Writes a file; `PORT` in it becomes the port when the server starts, in a file of its own. The
/// shell replaces itself, so that the signals go to the server.
Words configured(const std::filesystem::path& folder, const std::string& name, const std::string& content,
                 const std::string& start) {
    const std::string file = folder / name;
    std::ofstream(file) << content;
    const std::string own = file + ".{port}";
    return {"sh", "-c", "sed s/PORT/{port}/g " + file + " > " + own + " && exec " + start + " " + own};
}

}  // namespace

bool isInstalled(const std::string& program, const std::string& versionOption) {
    try {
        test::Process({program, versionOption}).waitForExit(20s);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

Words nginxCommand(const std::filesystem::path& folder, std::optional<int> backend) {
    const std::string temporary = folder;
    const std::string answer = "    default_type text/plain;\n    return 200 \"hello\\n\";\n";
    const std::string proxy = "    location / {\n      proxy_pass http://backend;\n      proxy_http_version 1.1;\n"
                              "      proxy_set_header Connection \"\";\n      proxy_request_buffering off;\n"
                              "      proxy_buffering off;\n    }\n";
    const std::string upstream =
        backend ? "  upstream backend { server 127.0.0.1:" + std::to_string(*backend) + "; keepalive 64; }\n" : "";
    return configured(folder, backend ? "nginx-proxy.conf" : "nginx.conf",
                      "daemon off;\npid " + temporary + "/nginx-PORT.pid;\nerror_log stderr crit;\n"
                      "worker_processes 2;\nworker_shutdown_timeout 2s;\nevents { worker_connections 12000; }\nhttp {\n"
                      "  access_log off;\n  keepalive_requests 1000000;\n  client_body_temp_path " + temporary +
                      ";\n  proxy_temp_path " + temporary + ";\n  fastcgi_temp_path " + temporary +
                      ";\n  uwsgi_temp_path " + temporary + ";\n  scgi_temp_path " + temporary + ";\n" + upstream +
                      "  server {\n    listen 127.0.0.1:PORT;\n" + (backend ? proxy : answer) + "  }\n}\n",
                      "nginx -c");
}

Words haproxyCommand(const std::filesystem::path& folder, std::optional<int> backend, Master master) {
    const std::string answer = "  http-request return status 200 content-type text/plain string \"hello\\n\"\n";
    return configured(folder, backend ? "haproxy-proxy.cfg" : "haproxy.cfg",
                      "global\n  hard-stop-after 2s\ndefaults\n  mode http\n  timeout connect 5s\n"
                      "  timeout client 60s\n  timeout server 60s\n  timeout http-request 10s\n" +
                      std::string(backend ? "listen" : "frontend") + " peer\n  bind 127.0.0.1:PORT\n" +
                      (backend ? "  server backend 127.0.0.1:" + std::to_string(*backend) + "\n" : answer),
                      master == Master::with ? "haproxy -W -db -f" : "haproxy -db -f");
}

}  // namespace lifecycle::bench
