#include "catch.h"
#include "log.h"

#include <cmath>
#include <sstream>

using namespace lifecycle::timeline;

namespace {

Timeline read(const std::string& text) {
    std::istringstream log(text);
    return readLog(log, "title");
}

} // namespace

TEST_CASE("timeline: a request is a bar from its begin to its end") {
    const Timeline run = read("+0.100s request.begin id=1 method=GET path=/hello\n"
                              "noise of a library\n"
                              "+2.100s request.end id=1 path=/hello status=200 took=2s\n");
    REQUIRE(run.rows.size() == 1);
    REQUIRE(run.rows[0].bars.size() == 1);
    CHECK(run.rows[0].label == "GET /hello");
    CHECK(std::lround(1000 * run.rows[0].bars[0].begin) == 100);
    CHECK(std::lround(1000 * run.rows[0].bars[0].end) == 2100);
    CHECK(run.rows[0].bars[0].kind == Kind::served);
}

TEST_CASE("timeline: a request without an end was cut by the deadline or is lost") {
    const std::string begin = "+0.100s request.begin id=1 path=/hello\n";
    const Timeline cut = read(begin + "+1.000s deadline.hit cut=1\n+1.100s exit code=75\n");
    CHECK(cut.rows.at(0).bars.at(0).kind == Kind::cut);
    CHECK(std::lround(1000 * cut.rows[0].bars[0].end) == 1000);
    const Timeline lost = read(begin + "+1.100s exit code=0\n");
    CHECK(lost.rows.at(0).bars.at(0).kind == Kind::lost);
    CHECK(std::lround(1000 * lost.rows[0].bars[0].end) == 1100);
}

TEST_CASE("timeline: a 503 and a refused connection are told apart from an answer") {
    const Timeline run = read("+0.100s request.begin id=7 path=/a\n+0.200s request.end id=7 status=503\n"
                              "+0.300s client.refused\n");
    REQUIRE(run.rows.size() == 2);
    CHECK(run.rows[0].bars[0].kind == Kind::unavailable);
    CHECK(run.rows[1].bars[0].kind == Kind::refused);
}

TEST_CASE("timeline: requests one after the other share a row and those side by side do not") {
    const Timeline run = read("+0.1s request.begin id=1 method=GET path=/a\n+0.2s request.end id=1 status=200\n"
                              "+0.3s request.begin id=2 method=GET path=/a\n"
                              "+0.4s request.begin id=3 method=GET path=/a\n"
                              "+0.5s request.end id=2 status=200\n+0.6s request.end id=3 status=200\n");
    REQUIRE(run.rows.size() == 2);
    CHECK(run.rows[0].bars.size() == 2);
    CHECK(run.rows[1].bars.size() == 1);
}

TEST_CASE("timeline: signal, readiness, listener, deadline and exit are marks") {
    const Timeline run = read("+0.1s signal name=SIGTERM number=15\n+0.1s readiness.off\n+0.2s listener.closed\n"
                              "+1.0s deadline.hit cut=0\n+1.1s exit code=75\n");
    std::string marks;
    for (const Mark& mark : run.marks) {
        marks += mark.text + ";";
    }
    CHECK(marks == "SIGTERM;readiness off;listener closed;deadline;exit 75;");
    CHECK(std::lround(1000 * run.end()) == 1100);
}

TEST_CASE("timeline: hooks are bars and one that overran says so") {
    const Timeline run = read("+0.1s hook.begin name=gate\n+0.2s hook.end name=gate took=100ms\n"
                              "+0.2s hook.begin name=orders\n+1.2s hook.timeout name=orders took=1s\n");
    REQUIRE(run.rows.size() == 2);
    CHECK(run.rows[0].bars[0].kind == Kind::step);
    CHECK(run.rows[1].bars[0].text == "timeout");
}

TEST_CASE("timeline: work that goes on after its answer is a bar while it is awaited, and its result a mark") {
    const Timeline run = read("+0.1s request.begin id=1 method=GET path=/incr\n+0.1s request.end id=1 status=200\n"
                              "+0.2s jobs.begin in_flight=1\n+3.1s jobs.end took=2.9s\n"
                              "+3.1s counter.total value=1 note=\"in memory\"\n");
    REQUIRE(run.rows.size() == 2);
    CHECK(run.rows[1].label == "wait for jobs");
    CHECK(std::lround(1000 * run.rows[1].bars.at(0).end) == 3100);
    REQUIRE(run.marks.size() == 1);
    CHECK(run.marks[0].text == "counter is 1");
}

TEST_CASE("timeline: work that was promised and not done is drawn as lost") {
    const std::string promised = "+0.1s request.begin id=1 method=GET path=/incr\n+0.2s request.end id=1 status=200\n"
                                 "+0.3s request.begin id=2 method=GET path=/incr\n+0.4s request.end id=2 status=200\n";
    const auto work = [&](const std::string& counts) {
        const Timeline run = read(promised + "+0.5s shutdown.end served=2 " + counts + "\n+0.5s exit code=0\n");
        REQUIRE(run.rows.back().label == "background work");
        const Bar& bar = run.rows.back().bars.at(0);
        CHECK(std::lround(1000 * bar.begin) == 200);
        CHECK(std::lround(1000 * bar.end) == 500);
        return bar;
    };
    CHECK(work("applied=0 unapplied=2").kind == Kind::lostWork);
    CHECK(work("applied=0 unapplied=2").text == "2 lost");
    CHECK(work("applied=1 unapplied=1").kind == Kind::lostWork);
    CHECK(work("applied=1 unapplied=1").text == "1 done, 1 lost");
    CHECK(work("applied=2 unapplied=0").kind == Kind::work);
    CHECK(work("applied=2 unapplied=0").text == "2 done");
    CHECK(read(promised + "+0.5s shutdown.end served=2\n").rows.size() == 1);
}

TEST_CASE("timeline: stop work is done, or cut by the deadline") {
    const std::string begin = "+0.1s shutdown.begin cause=SIGINT deadline=1s\n";
    const Timeline done = read(begin + "+0.6s shutdown.end cause=\"the stop work is done\" took=500ms\n");
    CHECK(done.rows.at(0).bars.at(0).kind == Kind::work);
    const Timeline cut = read(begin + "+1.1s deadline.hit cut=1\n+1.1s shutdown.end cause=\"deadline exceeded\"\n");
    CHECK(cut.rows.at(0).bars.at(0).kind == Kind::lostWork);
    CHECK(cut.rows.at(0).bars.at(0).text == "cut");
}

TEST_CASE("timeline: a process that is killed ends there, and so do its requests") {
    const Timeline run = read("+0.0s ready pid=7\n+0.1s request.begin id=1 path=/hello\n+0.5s client.killed pid=7\n");
    REQUIRE(run.rows.size() == 2);
    CHECK(run.rows[0].bars.at(0).text == "killed");
    CHECK(std::lround(1000 * run.rows[0].bars[0].end) == 500);
    CHECK(run.rows[1].bars.at(0).kind == Kind::lost);
    REQUIRE(run.marks.size() == 1);
    CHECK(run.marks[0].text == "SIGKILL");
}

TEST_CASE("timeline: an empty log is an empty picture") {
    CHECK(read("").rows.empty());
    CHECK(read("").end() == 0);
}
