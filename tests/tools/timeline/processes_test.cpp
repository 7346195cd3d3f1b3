#include "catch.h"
#include "log.h"
#include "sentence.h"
#include "svg.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

using namespace lifecycle::timeline;

namespace {

Timeline read(const std::string& text) {
    std::istringstream log(text);
    return readLog(log, "restart");
}

const Row& rowOf(const Timeline& run, const std::string& label) {
    const auto row = std::find_if(run.rows.begin(), run.rows.end(), [&](const Row& one) { return one.label == label; });
    if (row == run.rows.end()) {
        throw std::runtime_error("no row " + label);
    }
    return *row;
}

std::string labels(const Timeline& run) {
    std::string all;
    for (const Row& row : run.rows) {
        all += row.label + ";";
    }
    return all;
}

std::string marks(const Timeline& run) {
    std::string all;
    for (const Mark& mark : run.marks) {
        all += mark.text + " " + std::to_string(std::lround(1000 * mark.at)) + ";";
    }
    return all;
}

int milliseconds(Seconds seconds) {
    return static_cast<int>(std::lround(1000 * seconds));
}

// The second process starts 0.120 s after the first one: its clock is so much behind.
const std::string restart = "+0.000s ready port=1 pid=10 generation=1 listening=127.0.0.1:1\n"
                            "+0.090s request.begin id=1 method=GET path=/slow peer=127.0.0.1:2 generation=1\n"
                            "+0.100s signal name=SIGHUP number=1 sender_pid=9 sender_uid=0 generation=1\n"
                            "+0.100s restart.begin new_generation=2 generation=1\n"
                            "+0.120s restart.spawned new_pid=20 took=19ms generation=1\n"
                            "+0.010s ready port=1 pid=20 generation=2 listening=127.0.0.1:1\n"
                            "+0.130s restart.handed_over old_pid=10 new_pid=20 spawn=19ms ready=30ms in_flight=1 generation=1\n"
                            "+0.200s request.begin id=1 method=GET path=/quick peer=127.0.0.1:3 generation=2\n"
                            "+0.210s request.end id=1 path=/quick status=200 took=10ms generation=2\n"
                            "+1.131s listener.closed generation=1\n"
                            "+1.131s drain.begin in_flight=1 generation=1\n"
                            "+2.090s request.end id=1 path=/slow status=200 took=2s generation=1\n"
                            "+2.091s restart.report old_pid=10 new_pid=20 drain=960ms generation=1\n"
                            "+2.091s shutdown.end served=1 refused=0 cut=0 took=1.96s generation=1\n"
                            "+2.091s exit code=0 generation=1\n";

const std::string endOfBoth = restart + "+2.880s signal name=SIGTERM number=15 sender_pid=9 sender_uid=0 generation=2\n"
                                        "+2.880s shutdown.begin cause=SIGTERM deadline=10s generation=2\n"
                                        "+2.881s listener.closed generation=2\n"
                                        "+2.882s shutdown.end served=1 refused=0 cut=0 took=2ms generation=2\n"
                                        "+2.882s exit code=0 generation=2\n";

} // namespace

TEST_CASE("timeline: each generation of a hot restart is a row with its requests below it") {
    const Timeline run = read(endOfBoth);
    CHECK(labels(run) == "generation 1;GET /slow;stop work;generation 2;GET /quick;stop work;");
    const Bar old = rowOf(run, "generation 1").bars.at(0);
    CHECK(old.kind == Kind::process);
    CHECK(milliseconds(old.begin) == 0);
    CHECK(milliseconds(old.end) == 2091);
    const Bar next = rowOf(run, "generation 2").bars.at(0);
    CHECK(milliseconds(next.begin) == 120);
    CHECK(milliseconds(next.end) == 3002);
}

TEST_CASE("timeline: what a later generation says stands at its time since the start of the first") {
    const Timeline run = read(endOfBoth);
    CHECK(milliseconds(rowOf(run, "GET /quick").bars.at(0).begin) == 320);
    CHECK(milliseconds(rowOf(run, "GET /quick").bars.at(0).end) == 330);
    CHECK(milliseconds(rowOf(run, "GET /slow").bars.at(0).end) == 2090);
}

TEST_CASE("timeline: the marks of a hot restart say whose they are") {
    CHECK(marks(read(endOfBoth)) ==
          "generation 1: SIGHUP 100;generation 2: ready 130;generation 1: handed over 130;"
          "generation 1: listener closed 1131;generation 1: exit 0 2091;"
          "generation 2: SIGTERM 3000;generation 2: listener closed 3001;generation 2: exit 0 3002;");
    CHECK(sentence(read(endOfBoth)).starts_with("restart: requests: 2 served; "));
}

TEST_CASE("timeline: a generation that still runs when the log ends is drawn to the end") {
    const Timeline run = read(restart);
    CHECK(milliseconds(rowOf(run, "generation 2").bars.at(0).end) == 2091);
    CHECK(rowOf(run, "generation 2").bars.at(0).kind == Kind::process);
}

TEST_CASE("timeline: requests of one number in two processes are two requests") {
    const Timeline run = read(endOfBoth);
    CHECK(rowOf(run, "GET /slow").bars.size() == 1);
    CHECK(rowOf(run, "GET /slow").bars.at(0).kind == Kind::served);
    CHECK(rowOf(run, "GET /quick").bars.at(0).kind == Kind::served);
}

TEST_CASE("timeline: a request that a generation has left behind is lost when it exits") {
    std::string log = endOfBoth;
    const std::string answer = "+2.090s request.end id=1 path=/slow status=200 took=2s generation=1\n";
    log.erase(log.find(answer), answer.size());
    const Bar slow = rowOf(read(log), "GET /slow").bars.at(0);
    CHECK(slow.kind == Kind::lost);
    CHECK(milliseconds(slow.end) == 2091);
}

TEST_CASE("timeline: a new generation that fails ends where the old one says so") {
    const Timeline run = read("+0.000s ready port=1 pid=10 generation=1\n"
                              "+0.100s restart.begin new_generation=2 generation=1\n"
                              "+0.110s restart.spawned new_pid=20 took=10ms generation=1\n"
                              "+0.150s restart.failed reason=\"exit code 7\" new_pid=20 note=\"keeps serving\" generation=1\n"
                              "+0.500s shutdown.begin cause=SIGTERM deadline=10s generation=1\n"
                              "+0.501s exit code=0 generation=1\n");
    const Bar failed = rowOf(run, "generation 2").bars.at(0);
    CHECK(milliseconds(failed.begin) == 110);
    CHECK(milliseconds(failed.end) == 150);
    CHECK(failed.text == "gone");
    CHECK(milliseconds(rowOf(run, "generation 1").bars.at(0).end) == 501);
    CHECK(marks(run).find("generation 1: restart failed 150;") != std::string::npos);
}

TEST_CASE("timeline: after a rollback the old generation hands over and ends as if nothing had been") {
    const Timeline run = read("+0.000s ready port=1 pid=10 generation=1\n"
                              "+0.100s restart.begin new_generation=2 generation=1\n"
                              "+0.110s restart.spawned new_pid=20 took=10ms generation=1\n"
                              "+0.010s ready port=1 pid=20 generation=2\n"
                              "+0.125s restart.handed_over old_pid=10 new_pid=20 generation=1\n"
                              "+0.700s restart.rollback reason=\"signal 11\" new_pid=20 in_a_row=1 generation=1\n"
                              "+0.800s signal name=SIGTERM number=15 generation=1\n"
                              "+0.800s shutdown.begin cause=SIGTERM deadline=10s generation=1\n"
                              "+0.801s exit code=0 generation=1\n");
    CHECK(milliseconds(rowOf(run, "generation 2").bars.at(0).end) == 700);
    CHECK(rowOf(run, "stop work").bars.at(0).text == "taken back");
    CHECK(marks(run).find("generation 1: SIGTERM 800;generation 1: exit 0 801;") != std::string::npos);
}

TEST_CASE("timeline: a supervisor and the generations below it are told apart") {
    const Timeline run = read("+0.001s restart.begin new_generation=1 role=supervisor\n"
                              "+0.010s restart.spawned new_pid=20 took=9ms role=supervisor\n"
                              "+0.005s worker.ready port=1 pid=20 generation=1\n"
                              "+0.015s ready port=1 pid=10 generation=1 role=supervisor\n"
                              "+0.100s signal name=SIGHUP number=1 role=supervisor\n"
                              "+0.100s restart.begin new_generation=2 role=supervisor\n"
                              "+0.110s restart.spawned new_pid=30 took=9ms role=supervisor\n"
                              "+0.005s worker.ready port=1 pid=30 generation=2\n"
                              "+0.107s restart.handed_over old_pid=20 new_pid=30 generation=1\n"
                              "+0.115s ready port=1 pid=10 generation=2 role=supervisor\n"
                              "+1.107s listener.closed generation=1\n"
                              "+1.108s shutdown.end served=0 refused=0 cut=0 generation=1\n"
                              "+1.108s exit code=0 generation=1\n"
                              "+1.120s worker.ended pid=20 end=\"exit code 0\" role=supervisor\n");
    CHECK(labels(run) == "supervisor;generation 1;stop work;generation 2;");
    CHECK(milliseconds(rowOf(run, "generation 1").bars.at(0).end) == 1118);
    CHECK(marks(run).find("supervisor: SIGHUP 100;") != std::string::npos);
}

TEST_CASE("timeline: a process that takes long to start has its clock from the one that heard of it") {
    // The first worker begins at 0.068 s, and not when restart.spawned was logged.
    const Timeline run = read("+0.000s restart.begin new_generation=1 role=supervisor\n"
                              "+0.017s restart.spawned new_pid=20 took=17ms role=supervisor\n"
                              "+0.024s worker.ready port=1 pid=20 generation=1\n"
                              "+0.092s ready port=1 pid=10 generation=1 role=supervisor\n"
                              "+0.141s restart.begin new_generation=2 role=supervisor\n"
                              "+0.141s restart.spawned new_pid=30 took=174us role=supervisor\n"
                              "+0.012s worker.ready port=1 pid=30 generation=2\n"
                              "+0.169s restart.handed_over old_pid=20 new_pid=30 generation=1\n"
                              "+0.237s ready port=1 pid=10 generation=2 role=supervisor\n"
                              "+0.171s request.begin id=1 method=GET path=/late generation=1\n"
                              "+0.516s request.end id=1 path=/late status=200 generation=1\n"
                              "+0.520s exit code=0 generation=1\n"
                              "+0.590s worker.ended pid=20 end=\"exit code 0\" role=supervisor\n");
    CHECK(labels(run) == "supervisor;generation 1;stop work;GET /late;generation 2;");
    CHECK(milliseconds(rowOf(run, "GET /late").bars.at(0).begin) == 239);
}

TEST_CASE("timeline: three generations in one log are three rows") {
    const Timeline run = read(restart + "+2.000s signal name=SIGHUP number=1 generation=2\n"
                                        "+2.000s restart.begin new_generation=3 generation=2\n"
                                        "+2.010s restart.spawned new_pid=30 took=10ms generation=2\n"
                                        "+0.010s ready port=1 pid=30 generation=3\n"
                                        "+2.020s restart.handed_over old_pid=20 new_pid=30 generation=2\n"
                                        "+2.030s listener.closed generation=2\n"
                                        "+2.031s exit code=0 generation=2\n");
    CHECK(milliseconds(rowOf(run, "generation 2").bars.at(0).end) == 2151);
    CHECK(milliseconds(rowOf(run, "generation 3").bars.at(0).begin) == 2130);
}

TEST_CASE("timeline: a log with nonsense for numbers is drawn all the same") {
    const Timeline run = read("+0.1s ready pid=none generation=\n+0.2s restart.spawned new_pid=\n"
                              "+0.3s request.begin id=x path=/a\n+0.4s request.end id=x status=200\n"
                              "+0.5s restart.failed new_pid=99999999999999999999\n+0.6s exit code=0\n");
    CHECK(rowOf(run, " /a").bars.at(0).kind == Kind::served);
}

TEST_CASE("timeline: lines of a process stand in its row however the clocks and the request numbers lie") {
    const Timeline run = read("+0.000s ready port=1 pid=10 generation=1\n"
                              "+0.000s restart.begin new_generation=2 generation=1\n"
                              "+0.000s restart.spawned new_pid=20 generation=1\n"
                              "+0.000s ready port=1 pid=20 generation=2\n"
                              "+0.001s restart.handed_over old_pid=10 new_pid=20 generation=1\n"
                              "+0.010s request.begin id=1 method=GET path=/new generation=2\n"
                              "+0.010s request.begin id=1 method=GET path=/old generation=1\n"
                              "+0.020s exit code=0 generation=2\n"
                              "+0.030s request.end id=1 status=200 generation=1\n"
                              "+0.040s exit code=0 generation=1\n");
    CHECK(labels(run) == "generation 1;stop work;GET /old;generation 2;GET /new;");
    CHECK(rowOf(run, "GET /old").bars.at(0).kind == Kind::served);
    CHECK(rowOf(run, "GET /new").bars.at(0).kind == Kind::lost);
}

TEST_CASE("timeline: the lanes of a hot restart are in the picture") {
    const std::string picture = svg({read(endOfBoth)});
    CHECK(picture.find(">generation 1<") != std::string::npos);
    CHECK(picture.find(">generation 2<") != std::string::npos);
}
