#include "catch.h"
#include "deadline.h"

#include "lifecycle/poll_loop.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using lifecycle::Clock;
using lifecycle::FileDescriptor;
using lifecycle::PollLoop;

TEST_CASE("library: a loop acts on descriptors and moments and words of other threads in their order") {
    PollLoop loop;
    std::string story;
    const FileDescriptor event(::eventfd(0, EFD_CLOEXEC));
    loop.watch(event.get(), [&] {
        eventfd_t value;
        ::eventfd_read(event.get(), &value);
        story += "descriptor ";
        loop.in(1ms, [&] {
            story += "moment ";
            loop.post([&] {
                story += "word";
                loop.stop();
            });
        });
    });
    std::thread other([&] { loop.post([&] { ::eventfd_write(event.get(), 1); }); });
    loop.run();
    other.join();
    CHECK(story == "descriptor moment word");
}

TEST_CASE("library: moments of a loop come in the order of their times and canceled ones never") {
    PollLoop loop;
    std::string story;
    const auto now = Clock::now();
    loop.at(now + 20ms, [&] {
        story += "c";
        loop.stop();
    });
    const PollLoop::Timer canceled = loop.at(now + 10ms, [&] { story += "canceled"; });
    loop.at(now + 10ms, [&] { story += "b"; });
    loop.at(now - 1s, [&] { story += "a"; });
    loop.cancel(canceled);
    loop.cancel(0);
    loop.run();
    CHECK(story == "abc");
    CHECK(Clock::now() - now >= 20ms);
}

TEST_CASE("library: an action may forget its own descriptor and that of another one") {
    PollLoop loop;
    int called = 0;
    const FileDescriptor first(::eventfd(1, EFD_CLOEXEC));
    const FileDescriptor second(::eventfd(1, EFD_CLOEXEC));
    const auto once = [&] {
        ++called;
        loop.forget(first.get());
        loop.forget(second.get());
        loop.in(5ms, [&] { loop.stop(); });
    };
    loop.watch(first.get(), once);
    loop.watch(second.get(), once);
    loop.run();
    CHECK(called == 1);
}

TEST_CASE("library: an event of a descriptor that was forgotten does not go to the next one with its number") {
    PollLoop loop;
    std::string story;
    std::array<FileDescriptor, 2> events{FileDescriptor(::eventfd(1, EFD_CLOEXEC)), FileDescriptor(::eventfd(1, EFD_CLOEXEC))};
    FileDescriptor next;
    const auto replaceOther = [&](FileDescriptor& own, FileDescriptor& other) {
        story += "first ";
        loop.forget(own.get());
        const int number = other.get();
        loop.forget(number);
        other.reset();
        next = FileDescriptor(::eventfd(0, EFD_CLOEXEC)); // nothing to read
        REQUIRE(next.get() == number);
        loop.watch(number, [&] { story += "wrong "; });
        loop.in(5ms, [&] { loop.stop(); });
    };
    // Both are readable; the one that comes first takes the place of the other.
    loop.watch(events[0].get(), [&] { replaceOther(events[0], events[1]); });
    loop.watch(events[1].get(), [&] { replaceOther(events[1], events[0]); });
    loop.run();
    CHECK(story == "first ");
}

TEST_CASE("library: a loop works on when the process may have fewer descriptors than it watches") {
    PollLoop loop;
    std::vector<FileDescriptor> events;
    int called = 0;
    for (int i = 0; i < 20; ++i) {
        events.emplace_back(::eventfd(1, EFD_CLOEXEC));
        loop.watch(events.back().get(), [&, descriptor = events.back().get()] {
            loop.forget(descriptor);
            if (++called == 20) {
                loop.stop();
            }
        });
    }
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit few = before;
    few.rlim_cur = 4;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    loop.run();
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(called == 20);
}
