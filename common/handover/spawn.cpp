#include "lifecycle/spawn.h"

#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iterator>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "lifecycle/file_descriptor.h"
#include "lifecycle/signals.h"

namespace lifecycle {
namespace {

constexpr int firstDescriptor = 3;

/// Owns a posix_spawnattr_t.
class SpawnAttributes {
public:
    explicit SpawnAttributes(const std::vector<int>& blockedSignals) {
        posix_spawnattr_init(&attributes_);
        const sigset_t blocked = signalSet(blockedSignals);
        sigset_t defaults;
        sigfillset(&defaults);
        if (isIgnored(SIGHUP)) {
            sigdelset(&defaults, SIGHUP);
        }
        posix_spawnattr_setsigmask(&attributes_, &blocked);
        posix_spawnattr_setsigdefault(&attributes_, &defaults);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;

    const posix_spawnattr_t* get() const { return &attributes_; }

private:
    posix_spawnattr_t attributes_{};
};

/// Owns a posix_spawn_file_actions_t.
class FileActions {
public:
    FileActions() { posix_spawn_file_actions_init(&actions_); }
    ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;

    void enter(const std::string& directory) {
        check(posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str()));
    }

    void pass(const std::vector<int>& descriptors) {
        // Copied beyond the target numbers first: a descriptor may have the target number of another one.
        const int beyond = firstDescriptor + static_cast<int>(descriptors.size());
        for (const int descriptor : descriptors) {
            copies_.emplace_back(::fcntl(descriptor, F_DUPFD_CLOEXEC, beyond));
            check(copies_.back() ? 0 : errno);
        }
        for (std::size_t i = 0; i < copies_.size(); ++i) {
            check(posix_spawn_file_actions_adddup2(&actions_, copies_[i].get(), firstDescriptor + static_cast<int>(i)));
        }
    }

    const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
    static void check(int error) {
        if (error != 0) {
            throw std::system_error(error, std::generic_category(), "cannot prepare a child");
        }
    }

    posix_spawn_file_actions_t actions_{};
    std::vector<FileDescriptor> copies_;
};

std::string_view nameOf(std::string_view variable) {
    return variable.substr(0, variable.find('='));
}

std::vector<std::string> environmentWith(const std::vector<std::string>& changes) {
    std::vector<std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const auto changesIt = [entry](const std::string& change) { return nameOf(change) == nameOf(*entry); };
        if (std::none_of(changes.begin(), changes.end(), changesIt)) {
            all.emplace_back(*entry);
        }
    }
    std::copy_if(changes.begin(), changes.end(), std::back_inserter(all),
                 [](const std::string& change) { return change.find('=') != std::string::npos; });
    return all;
}

std::vector<char*> pointersTo(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) {
        pointers.push_back(const_cast<char*>(text.c_str()));
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

pid_t spawn(const std::vector<std::string>& argv, const SpawnOptions& options) {
    if (argv.empty()) {
        throw std::invalid_argument("spawn: no program named");
    }
    const SpawnAttributes attributes(options.blockedSignals);
    FileActions actions;
    actions.pass(options.descriptors);
    if (!options.directory.empty()) {
        actions.enter(options.directory);
    }
    const std::vector<std::string> environment = environmentWith(options.environment);
    const std::vector<char*> arguments = pointersTo(argv);

    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, arguments[0], actions.get(), attributes.get(), arguments.data(),
                                     pointersTo(environment).data());
    if (error != 0) {
        // posix_spawn does not report which step failed.
        if (!options.directory.empty() && ::access(options.directory.c_str(), X_OK) != 0) {
            throw std::system_error(errno, std::generic_category(),
                                    "cannot start " + argv[0] + " in its working directory " + options.directory);
        }
        throw std::system_error(error, std::generic_category(), "cannot start " + argv[0]);
    }
    return pid;
}

}  // namespace lifecycle
