#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lifecycle::bench {

/// Can the program be started, with an option that makes it end at once?
bool isInstalled(const std::string& program, const std::string& versionOption);

/// The commands that start nginx and HAProxy; `{port}` in them stands for the port. They write what they need into
/// `folder`, which their workers, who may be somebody else, must be able to enter. With the port of a `backend` they
/// are proxies in front of it; without one they answer every request themselves, at once: 200 and "hello\n".
/// Sources: https://nginx.org/en/docs/control.html, HAProxy's management.txt (signals) and configuration.txt
std::vector<std::string> nginxCommand(const std::filesystem::path& folder, std::optional<int> backend);

/// HAProxy can be restarted only below a master. The master loads its configuration twice, and a signal that comes
/// before it is done (HAProxy 2.6: 7 of 8 times when it came as soon as the port was open) is lost for good.
enum class Master { with, without };
std::vector<std::string> haproxyCommand(const std::filesystem::path& folder, std::optional<int> backend, Master master);

}  // namespace lifecycle::bench
