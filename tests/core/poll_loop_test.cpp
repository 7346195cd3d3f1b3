#include "catch.h"
#include "deadline.h"

#include "lifecycle/poll_loop.h"

#include <sys/eventfd.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
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

TEST_CASE("library: a prepared timer fires once at the moment set last and can be set again by its own action") {
    PollLoop loop;
    std::string story;
    PollLoop::PreparedTimer* self = nullptr;
    PollLoop::PreparedTimer timer(loop, [&] {
        story += "a";
        if (story.size() < 3) {
            self->in(1ms);
        }
    });
    self = &timer;
    PollLoop::PreparedTimer canceled(loop, [&] { story += "canceled"; });
    PollLoop::PreparedTimer stop(loop, [&] { loop.stop(); });
    const auto begin = Clock::now();
    timer.in(1h);
    timer.in(1ms);
    canceled.in(2ms);
    CHECK(canceled.isSet());
    canceled.cancel();
    CHECK_FALSE(canceled.isSet());
    {
        PollLoop::PreparedTimer gone(loop, [&] { story += "gone"; });
        gone.in(2ms);
    }
    loop.cancel(0); // concerns none of them
    stop.in(30ms);
    loop.run();
    CHECK(story == "aaa");
    CHECK(Clock::now() - begin >= 30ms);
    CHECK_FALSE(timer.isSet());
}

TEST_CASE("library: a loop that is notified several times acts at least once after the last one") {
    PollLoop loop;
    std::atomic<int> last = 0;
    int seen = 0;
    loop.onNotify([&] {
        seen = last;
        if (seen == 1000) {
            loop.stop();
        }
    });
    std::thread other([&] {
        for (int i = 1; i <= 1000; ++i) {
            last = i;
            loop.notify();
        }
    });
    loop.run();
    other.join();
    CHECK(seen == 1000);
}

TEST_CASE("library: a paused descriptor is not called for until it is resumed") {
    PollLoop loop;
    std::string story;
    const FileDescriptor event(::eventfd(1, EFD_CLOEXEC));
    loop.watch(event.get(), [&] {
        story += "called ";
        loop.stop();
    });
    loop.pause(event.get());
    loop.in(5ms, [&] {
        story += "resumed ";
        loop.resume(event.get());
    });
    loop.run();
    CHECK(story == "resumed called ");
}
