// Which process may remove the path of a Unix socket, and which may take over a dead one.

#include "catch.h"
#include "temp_dir.h"

#include "lifecycle/file_descriptor.h"
#include "lifecycle/listening_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace lifecycle::test;
using lifecycle::FileDescriptor;
using lifecycle::ListeningSocket;
using lifecycle::StartError;
using Poco::Net::SocketAddress;

namespace {

namespace fs = std::filesystem;

SocketAddress addressOf(const fs::path& path) {
    return {SocketAddress::UNIX_LOCAL, path.string()};
}

bool answers(const SocketAddress& address) {
    const FileDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(client.get(), address.addr(), address.length()) == 0;
}

/// The path of a process that was killed.
void leaveBehind(const SocketAddress& address) {
    ListeningSocket::listenOn(address).close();
    REQUIRE_FALSE(answers(address));
}

} // namespace

TEST_CASE("library: the path of a Unix socket is removed by the process that listens there, and no other") {
    const TempDir folder;
    const SocketAddress address = addressOf(folder.path() / "socket");
    const ListeningSocket first = ListeningSocket::listenOn(address);
    const ListeningSocket copy = first.duplicate();
    fs::remove(folder.path() / "socket");
    const ListeningSocket second = ListeningSocket::listenOn(address);

    first.removePath();
    copy.removePath();
    CHECK(answers(address));
    second.duplicate().removePath();
    CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("library: a socket that was handed over removes its path if it is told which file that was") {
    const TempDir folder;
    const SocketAddress address = addressOf(folder.path() / "socket");
    const ListeningSocket opened = ListeningSocket::listenOn(address);
    const auto adopted = [&] { return ListeningSocket::adopt(FileDescriptor(::dup(opened.descriptor()))); };

    adopted().removePath(); // of a service manager
    CHECK(answers(address));
    ListeningSocket handedOver = adopted();
    handedOver.boundTo(opened.file());
    handedOver.removePath();
    CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("library: of several servers that find a dead path one takes it over and serves there") {
    const TempDir folder;
    const SocketAddress address = addressOf(folder.path() / "socket");
    for (int round = 0; round < 50; ++round) {
        leaveBehind(address);
        std::mutex mutex;
        std::vector<ListeningSocket> listening;
        std::atomic<int> refused = 0;
        std::atomic<int> waiting = 4;
        std::vector<std::thread> starters;
        for (int i = 0; i < 4; ++i) {
            starters.emplace_back([&] {
                --waiting;
                while (waiting > 0) {
                }
                try {
                    ListeningSocket socket = ListeningSocket::listenOn(address);
                    const std::lock_guard lock(mutex);
                    listening.push_back(std::move(socket));
                } catch (const StartError&) {
                    ++refused;
                }
            });
        }
        for (std::thread& starter : starters) {
            starter.join();
        }
        REQUIRE(listening.size() == 1);
        REQUIRE(refused == 3);
        REQUIRE(answers(address));
    }
}

TEST_CASE("library: a dead path in a directory that another program has locked is not taken over") {
    const TempDir folder;
    const SocketAddress address = addressOf(folder.path() / "socket");
    leaveBehind(address);
    const FileDescriptor directory(::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(::flock(directory.get(), LOCK_EX) == 0);
    CHECK_THROWS_AS(ListeningSocket::listenOn(address), StartError);
    CHECK(fs::exists(folder.path() / "socket"));
}
