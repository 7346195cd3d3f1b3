# lifecycle_add_tests(<target> LABELS <label>... SOURCES <file>... [TIMEOUT <seconds>] [SERIAL])
#
# A test program and one CTest test for each of its test cases, with these labels. A test that
# runs longer than TIMEOUT (default 180) is killed and has failed. SERIAL: none of them runs beside
# another test, for claims about time; they have the label "time", too, and are left out where a sanitizer slows
# everything down. A test that cannot run here says so by skip().
# The sources know the built stages as STAGE_BIN_DIR.

include("${Catch2_DIR}/Catch.cmake")

function(lifecycle_add_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "LABELS;SOURCES")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 180)
  endif()

  if(arg_SERIAL)
    list(APPEND arg_LABELS time)
  endif()

  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE test_main)
  if(LIFECYCLE_SANITIZE AND arg_SERIAL)
    set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL TRUE)
    return()
  endif()
  list(LENGTH arg_SOURCES sources)
  if(LIFECYCLE_SANITIZE AND sources GREATER 3)
    # Saves minutes. Not where the compiler optimises: GCC 12 then warns of its own headers.
    target_precompile_headers(${target} PRIVATE <catch.h> <load.h> <process.h> <filesystem> <fstream> <functional>)
  endif()
  target_compile_definitions(${target} PRIVATE STAGE_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
  catch_discover_tests(${target})

  # CTest reads this behind the list of tests that catch_discover_tests writes. (Its own PROPERTIES
  # argument cannot carry two labels: the list falls apart on the way.)
  set(properties_file "${CMAKE_CURRENT_BINARY_DIR}/${target}_properties.cmake")
  configure_file("${CMAKE_CURRENT_FUNCTION_LIST_DIR}/test_properties.cmake.in"
                 "${properties_file}" @ONLY)
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${properties_file}")
endfunction()
