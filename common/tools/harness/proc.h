#pragma once

#include <sys/types.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

namespace lifecycle::test {

// What Linux tells about a running process: proc(5).

/// Processor time of all its threads so far, in steps of 10 ms.
std::chrono::milliseconds cpuTime(pid_t pid);

/// Does each of its threads wait for something other than a processor?
bool allThreadsSleep(pid_t pid);

/// The addresses it listens on, such as "127.0.0.1:8080" or "[…]:8080" for IPv6. For a server
/// whose `ready` line cannot be read.
std::vector<std::string> listeningAddresses(pid_t pid);

/// What the kernel calls the sockets that it listens on ("socket:[4711]", the number is the inode):
/// TCP and Unix stream sockets, which are those for clients. Two processes that show the same hold the same.
std::set<std::string> listeningSockets(pid_t pid);

/// The port of its only listener; 0 as long as there is none.
int listeningPort(pid_t pid);

/// A set of signals, as the kernel keeps one for each thread.
class SignalSet {
public:
    explicit SignalSet(unsigned long long bits = 0) : bits_(bits) {}
    bool has(int number) const { return (bits_ >> (number - 1) & 1) != 0; }

private:
    unsigned long long bits_;
};

/// For each of its threads the set of that name: SigBlk (blocked), SigIgn (ignored), SigCgt (caught
/// by a handler).
std::vector<SignalSet> signalSets(pid_t pid, const std::string& name);

/// Does it ignore SIGPIPE? The stages do once they take the other signals: a sign of being ready
/// for a program that cannot write that it is.
bool ignoresSigpipe(pid_t pid);

/// The names of its threads.
std::multiset<std::string> threadNames(pid_t pid);

/// Whether it waits for clients of this socket ("socket:[4711]") in an epoll set. One that only holds it does not.
bool acceptsFrom(pid_t pid, const std::string& socket);

/// Its first child; 0 without one.
pid_t firstChild(pid_t pid);

} // namespace lifecycle::test
