#include "process_table.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace lifecycle::test {

namespace {

std::string contentOf(pid_t pid, const char* name) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
    std::ostringstream text; // unlike an iterator it does not throw when the process is gone
    text << file.rdbuf();
    return text.str();
}

} // namespace

std::vector<ProcessEntry> processTable() {
    std::vector<ProcessEntry> result;
    std::error_code ignored;
    for (const auto& directory : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string name = directory.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos) {
            continue;
        }
        // `pid (name) state ppid pgrp session ...`: the name may hold anything, so reading begins
        // behind the last parenthesis.
        std::ifstream file(directory.path() / "stat");
        std::string line;
        std::getline(file, line);
        std::istringstream fields(line.substr(std::min(line.rfind(')') + 1, line.size())));
        ProcessEntry entry;
        if (fields >> entry.state >> entry.parent >> entry.group >> entry.session) {
            entry.pid = std::stoi(name);
            result.push_back(entry);
        }
    }
    return result;
}

std::string commandLineOf(pid_t pid) {
    return contentOf(pid, "cmdline");
}

bool hasInEnvironment(pid_t pid, const std::string& variable) {
    std::string all = contentOf(pid, "environ");
    all.insert(all.begin(), '\0'); // each begins behind a null character, and ends with one
    return all.find('\0' + variable + '\0') != std::string::npos;
}

} // namespace lifecycle::test
