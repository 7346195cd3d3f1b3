# Installs the library into an empty folder, builds a project against it that knows nothing but that
# folder, and runs the result. Any step that fails ends the script with an error. The project is the example of the
# README, word for word.

file(READ "${LIFECYCLE_SOURCE_DIR}/README.md" readme)
file(READ "${OUTSIDE_SOURCE_DIR}/main.cpp" example)
string(FIND "${readme}" "```cpp\n${example}```" position)
if(position EQUAL -1)
  message(FATAL_ERROR "the example in README.md is not ${OUTSIDE_SOURCE_DIR}/main.cpp")
endif()

set(prefix "${WORK_DIR}/prefix")
file(REMOVE_RECURSE "${WORK_DIR}")

execute_process(COMMAND "${CMAKE_COMMAND}" --install "${LIFECYCLE_BUILD_DIR}" --prefix "${prefix}"
                COMMAND_ERROR_IS_FATAL ANY)

# What is installed must work without the folders it came from.
file(GLOB_RECURSE installed "${prefix}/*.cmake" "${prefix}/*.h")
if(NOT installed)
  message(FATAL_ERROR "nothing was installed in ${prefix}")
endif()
foreach(file IN LISTS installed)
  file(READ "${file}" text)
  foreach(origin IN ITEMS "${LIFECYCLE_SOURCE_DIR}/" "${LIFECYCLE_BUILD_DIR}/")
    string(REPLACE "${prefix}" "" text "${text}")
    string(FIND "${text}" "${origin}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file} refers to ${origin}")
    endif()
  endforeach()
endforeach()

execute_process(COMMAND "${CMAKE_COMMAND}" -S "${OUTSIDE_SOURCE_DIR}" -B "${WORK_DIR}/build"
                        -G "${GENERATOR}" -D "CMAKE_CXX_COMPILER=${CXX_COMPILER}"
                        -D "CMAKE_PREFIX_PATH=${prefix}"
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${WORK_DIR}/build"
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND "${CMAKE_CURRENT_LIST_DIR}/serves_and_shuts_down.sh" "${WORK_DIR}/build/outside" TIMEOUT 60
                COMMAND_ERROR_IS_FATAL ANY)

# The installed judge agrees.
execute_process(COMMAND "${prefix}/bin/drain_check" --only idle-exit --lame-duck 2s -- "${WORK_DIR}/build/outside" "{port}"
                        "${WORK_DIR}/journal"
                TIMEOUT 60 COMMAND_ERROR_IS_FATAL ANY)
