#include "catch.h"
#include "order_fixture.h"
#include "stopped_thread.h"

#include <set>

using namespace std::chrono_literals;
using namespace lifecycle::test;

namespace {

/// The threads that work on the first request to each server. Both exist when the program is ready, in the order
/// in which it starts its servers.
struct FirstWorkers {
    pid_t ofPublic;
    pid_t ofAdmin;
};

FirstWorkers firstWorkers(const Process& program) {
    std::set<pid_t> workers;
    eventually([&] { return (workers = threadsOf(program.pid(), "http-worker")).size() == 2; }, 5s);
    REQUIRE(workers.size() == 2);
    return {*workers.begin(), *workers.rbegin()};
}

/// A client of the admin server's stream of events, which has begun.
Connection watching(const OrderServer& server) {
    Connection connection = Connection::to(server.adminPort());
    connection.send(httpRequest("GET", "/events"));
    REQUIRE(connection.readBytes(1, 5s).outcome == Outcome::complete);
    return connection;
}

/// Whoever waited for a thread that hangs would wait for 30 s, the time of a hook, or for ever.
bool isSoon(Clock::time_point begin, Clock::time_point end) {
    return end - begin < 5s;
}

} // namespace

TEST_CASE("04: a handler of the public server that hangs holds up neither the admin server nor the end") {
    if (!StoppedThread::allowed()) {
        return;
    }
    const OrderFixture fixture({"--timeout=300ms"});
    const OrderServer& server = fixture.server;
    const pid_t handler = firstWorkers(server).ofPublic; // there are more once it is blocked
    Connection client = server.working("/hello?work=10m");
    REQUIRE(server.order().status == 202); // by now the handler is through with its events
    const StoppedThread hanging(server, handler);
    Connection watcher = watching(server);

    server.signal(SIGTERM);
    server.waitForEvent("drain.begin");
    CHECK(server.admin("/healthz").status == 200);
    const ExitStatus status = server.waitForExit(30s);
    CHECK(status.code == 75);
    CHECK(isSoon(server.waitForEvent("deadline.hit").arrivedAt, status.at));
    CHECK(server.waitForEvent("shutdown.end").number("cut") == 1);
    CHECK(client.readResponse(5s).outcome == Outcome::closed);

    // The admin server was closed in its turn: its stream tells the end, and has one itself.
    const ReadResult stream = watcher.readBytes(10'000'000, 5s);
    CHECK(stream.bytes.find(R"("state":"stopped")") != std::string::npos);
    CHECK(stream.outcome == Outcome::truncated);
    CHECK(stream.bytes.find("\r\n0\r\n\r\n") != std::string::npos);
    CHECK(fixture.rows() == 1);
}

TEST_CASE("04: a handler of the admin server that hangs holds up neither the public server nor the end") {
    if (!StoppedThread::allowed()) {
        return;
    }
    const OrderFixture fixture;
    const OrderServer& server = fixture.server;
    const pid_t handler = firstWorkers(server).ofAdmin;
    Connection watcher = watching(server);
    const StoppedThread hanging(server, handler);
    REQUIRE(server.order().status == 202);
    Connection client = server.working("/hello?work=500ms");

    server.signal(SIGTERM);
    server.waitForEvent("listener.closed");
    CHECK(Connection::to(server.port()).error() == std::errc::connection_refused);
    const Response answer = client.readResponse(10s);
    CHECK(answer.status == 200);
    CHECK(answer.header("Connection") == "close");
    CHECK(isSoon(answer.finishedAt, server.waitForEvent("drain.end").arrivedAt));

    const ExitStatus status = server.waitForExit(30s);
    CHECK(status.code == 0);
    CHECK(isSoon(server.waitForEvent("shutdown.end").arrivedAt, status.at));
    CHECK(server.waitForEvent("shutdown.end").number("cut") == 0);
    CHECK(watcher.readBytes(10'000'000, 5s).bytes.find("stopped") == std::string::npos);
    CHECK(fixture.rows() == 1);
}
