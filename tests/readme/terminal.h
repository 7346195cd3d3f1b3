#pragma once

#include "lifecycle/file_descriptor.h"

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace lifecycle::readme {

/// A terminal as a learner has one: an interactive bash with job control in a pseudo-terminal.
/// ^C is a key press that the kernel turns into SIGINT for the foreground process group.
///
/// The shell does not echo what is typed, reads no start-up files and keeps no history; its `pidof`
/// finds only processes of this runner. Its prompt is an invisible mark, by which `atPrompt()`
/// knows that a command has ended. One thread.
class Terminal {
public:
    /// Starts the shell in `directory`.
    /// `temporary` is where the shell's programs put temporary files.
    Terminal(const std::filesystem::path& directory, const std::filesystem::path& temporary);
    Terminal(Terminal&&) = default;
    Terminal& operator=(Terminal&&) = delete;

    /// Has the last command ended, and all its output been read?
    bool atPrompt() const { return at_prompt_; }
    /// Has the shell ended?
    bool closed() const { return !master_; }
    /// Does a program other than the shell have the keyboard, and has its code begun to run? What
    /// the shell has only forked so far would lose a key that is pressed now.
    bool programInForeground() const;

    /// Types a command and Enter.
    void type(const std::string& command);
    /// Presses a control key.
    void press(char controlCharacter);

    /// For poll(2): readable when there is output.
    int descriptor() const { return master_.get(); }
    pid_t shell() const { return shell_; }

    /// Takes in what there is, without blocking, and returns the lines that became complete:
    /// without their ends, without colours. A line without end counts when the prompt follows.
    std::vector<std::string> readLines();

private:
    void write(const std::string& keys);

    FileDescriptor master_;
    pid_t shell_ = -1;
    bool at_prompt_ = false;
    std::string unfinished_;
};

} // namespace lifecycle::readme
