#include "catch.h"
#include "substitutions.h"
#include "temp_dir.h"

#include <set>
#include <vector>

using lifecycle::test::PortReservation;
using lifecycle::readme::Substitutions;
using lifecycle::test::TempDir;

TEST_CASE("readme: a port of a README is one free port in all of a block") {
    const TempDir root;
    Substitutions substitutions(root.path(), root.path());
    const std::string real = substitutions.toReal("server --port 8080; curl :8081/8080");
    CHECK(real.find("8080") == std::string::npos);
    CHECK(substitutions.toReal("8080").size() == 5);
    CHECK(substitutions.toReal("8080") != substitutions.toReal("8081"));
    CHECK(substitutions.toShown(real) == "server --port 8080; curl :8081/8080");
    CHECK(substitutions.toReal("18080 80800 x8080 8090 808") == "18080 80800 x8080 8090 808");
}

TEST_CASE("readme: reserved ports are never the same") {
    std::vector<PortReservation> reservations(50);
    std::set<int> ports;
    for (const auto& reservation : reservations) {
        ports.insert(reservation.port());
    }
    CHECK(ports.size() == 50);
}

TEST_CASE("readme: the directory of the programs is shown as build/bin") {
    const TempDir root;
    Substitutions substitutions(root.path(), "/other/bin");
    CHECK(substitutions.toReal("build/bin/a; ./build/bin/b && X=build/bin/c 'build/bin/d'") ==
          "/other/bin/a; /other/bin/b && X=/other/bin/c '/other/bin/d'");
    CHECK(substitutions.toReal("rebuild/bin/a /build/bin/b") == "rebuild/bin/a /build/bin/b");
    CHECK(substitutions.toShown("/other/bin/a: usage of /other/bin/a") ==
          "build/bin/a: usage of build/bin/a");
}

TEST_CASE("readme: programs that are in build/bin are called as the README says") {
    const TempDir root;
    std::filesystem::create_directories(root.path() / "build/bin");
    Substitutions substitutions(root.path(), root.path() / "build/bin");
    CHECK(substitutions.toReal("build/bin/a") == "build/bin/a");
    CHECK(substitutions.toShown("build/bin/a") == "build/bin/a");
}
