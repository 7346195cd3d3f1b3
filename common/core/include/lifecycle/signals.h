#pragma once

#include <sys/types.h>

#include <csignal>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lifecycle {

/// What the kernel does with a signal by default.
enum class DefaultAction { terminate, dumpCore, ignore, stop, resume };

/// One line of the table of signals. Source: signal(7).
struct SignalDescription {
    int number;
    std::string_view name;  ///< with SIG
    DefaultAction action;
    bool catchable;  ///< false for SIGKILL and SIGSTOP alone
    std::string_view purpose;
};

/// The standard signals in order of their number.
std::span<const SignalDescription> standardSignals();

/// "SIGTERM", "SIGRTMIN+3", or "signal 99" for a number that is not a signal.
std::string signalName(int number);

/// Reads TERM, SIGTERM, sigterm or 15. Throws std::invalid_argument with a sentence for the user.
int parseSignal(std::string_view text);

/// Reads a list such as "INT,TERM" of signals to wait for. Rejected, each with its reason, by
/// std::invalid_argument: unknown names, an empty list, KILL and STOP (nobody can wait for them),
/// and the two real-time signals that the C library keeps for itself.
std::vector<int> parseSignalList(std::string_view text);

/// One signal that arrived.
struct SignalInfo {
    int number = 0;
    /// Who sent it; 0 when the kernel did (Ctrl-C at a terminal) or the sender is outside of this
    /// PID namespace (`docker stop`).
    pid_t senderPid = 0;
    uid_t senderUid = 0;
    /// The kernel sent it, as it does for a key such as Ctrl-C, and when a terminal is closed.
    bool fromKernel = false;
};

/// Prepares the process for taking `numbers` with waitForSignal or ShutdownSignals: blocks them in
/// the calling thread, and so in all threads and children started later, and undoes an inherited
/// "ignore" (shells start background jobs with SIGINT and SIGQUIT ignored). There is one exception: a
/// SIGHUP that is ignored stays ignored, and is not blocked, because somebody asked for that with nohup.
/// SIGPIPE is ignored from here on unless it is among the numbers: a client that goes away makes one
/// write fail with EPIPE, and must not kill the process.
///
/// Call it first thing in main: a thread started earlier would not block these signals, and they would kill the
/// process. Before the call they kill the process anyway, and as process 1 of a container it never gets them: the
/// kernel drops signals that process 1 neither blocks nor handles. Masks survive an exec, so with
/// `env --block-signal=TERM program` a TERM waits while the libraries of `program` are loaded.
///
/// Returns the signals that are blocked now: `numbers`, without an ignored SIGHUP.
sigset_t blockSignals(std::span<const int> numbers);

/// Waits until one of `numbers`, which blockSignals must have blocked, arrives, and takes it. A signal
/// that arrived before the call is taken at once.
///
/// Blocks the calling thread, without polling. Source: sigwaitinfo(2).
SignalInfo waitForSignal(std::span<const int> numbers);

/// Is `number` ignored in this process?
bool isIgnored(int number);

/// The sigset_t of `numbers`.
sigset_t signalSet(std::span<const int> numbers);

}  // namespace lifecycle
