#pragma once

/// Catch2 under one name: version 2.13 is a single header, version 3 a library. Test sources
/// include this file and use only what both have (TEST_CASE, SECTION, REQUIRE, CHECK, INFO,
/// CAPTURE, FAIL, GENERATE, REQUIRE_THROWS_AS).
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#define LIFECYCLE_CATCH2_MAJOR 3
#else
#include <catch2/catch.hpp>
#define LIFECYCLE_CATCH2_MAJOR 2
#endif
