// Preloaded into stage 05, it ends a process at a message of the hand-over. The file that DIES_AT names says which
// process, by the number of its generation (0: the one that was started first), and which moment:
//
//     2 sends serving       has not sent it yet
//     2 sent serving        has sent it, and done nothing else
//     1 receives serving    it is queued
//     1 received serving    it has been read, and nothing has been done about it
//     1 spawned process     there is a next generation, and nobody knows its pid yet
//
// With "stop" in front the process is stopped and not killed, with "hang" the thread goes no further.

#include <dlfcn.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

std::string generation = "0";

std::string wordOf(const void* bytes, ssize_t size) {
    const std::string text(static_cast<const char*>(bytes), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return text.substr(0, text.find('\n'));
}

/// The generation that the starter says this is.
void learn(const void* bytes, ssize_t size) {
    const std::string text(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
    const auto at = text.find("\ngeneration=");
    if (at != std::string::npos) {
        const auto begin = at + 12;
        generation = text.substr(begin, text.find('\n', begin) - begin);
    }
}

void dieIf(const std::string& moment, const std::string& word) {
    const char* file = std::getenv("DIES_AT");
    std::string line;
    if (file == nullptr || !std::getline(std::ifstream(file), line)) {
        return;
    }
    const std::string now = generation + " " + moment + " " + word;
    const bool stops = line == "stop " + now;
    const bool hangs = line == "hang " + now;
    if (!stops && !hangs && line != now) {
        return;
    }
    ::unlink(file); // so that a test knows that it has happened, and only once
    while (hangs) {
        ::pause();
    }
    ::kill(::getpid(), stops ? SIGSTOP : SIGKILL);
}

/// Messages of the hand-over, and no bytes of a client.
bool isChannel(int descriptor) {
    int type = 0;
    int domain = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET &&
           ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX;
}

template <typename Function>
Function next(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

} // namespace

extern "C" ssize_t send(int descriptor, const void* bytes, size_t size, int flags) {
    static const auto real = next<ssize_t (*)(int, const void*, size_t, int)>("send");
    const bool channel = isChannel(descriptor);
    const std::string word = channel ? wordOf(bytes, static_cast<ssize_t>(size)) : "";
    if (channel) {
        dieIf("sends", word);
    }
    const ssize_t sent = real(descriptor, bytes, size, flags);
    if (channel) {
        dieIf("sent", word);
    }
    return sent;
}

extern "C" ssize_t recv(int descriptor, void* bytes, size_t size, int flags) {
    static const auto real = next<ssize_t (*)(int, void*, size_t, int)>("recv");
    const bool channel = (flags & MSG_PEEK) == 0 && isChannel(descriptor);
    if (channel) {
        const ssize_t waiting = real(descriptor, bytes, size, flags | MSG_PEEK);
        if (waiting > 0) {
            const std::string word = wordOf(bytes, waiting);
            if (word == "start") {
                learn(bytes, waiting);
            }
            dieIf("receives", word);
        }
    }
    const ssize_t received = real(descriptor, bytes, size, flags);
    if (channel && received > 0) {
        dieIf("received", wordOf(bytes, received));
    }
    return received;
}

extern "C" int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                            const posix_spawnattr_t* attributes, char* const argv[], char* const environment[]) {
    static const auto real = next<decltype(&posix_spawnp)>("posix_spawnp");
    const int error = real(pid, file, actions, attributes, argv, environment);
    dieIf("spawned", "process");
    return error;
}
