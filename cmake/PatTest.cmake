# pat_test(NAME SOURCES file... LIBS target... [HEAVY] [SERIAL] [THREADS] [TIMEOUT seconds])
# A GoogleTest binary NAME; each of its TESTs becomes a ctest test NAME/Suite.Test.
#   HEAVY    label heavy: run once, in the release build, by `./dev test`
#   SERIAL   no other test runs beside it
#   THREADS  has threads: with ThreadSanitizer in the target threads, its tests under that label
# Seen by the test: PAT_TEST_VECTORS_DIR (tests/vectors) and PAT_BIN_DIR (where
# patctl and the examples are), both strings.
include(GoogleTest)
set(CMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE PRE_TEST)

if(PAT_SANITIZE)
  find_program(PAT_SYMBOLIZER NAMES llvm-symbolizer llvm-symbolizer-14 DOC "for sanitizers' reports")
endif()

set(PAT_TSAN_OPTIONS
  "TSAN_OPTIONS=suppressions=\"${PROJECT_SOURCE_DIR}/cmake/tsan.supp\" external_symbolizer_path=\"${PAT_SYMBOLIZER}\"")
if(PAT_SANITIZE MATCHES "thread" AND NOT TARGET threads)
  add_custom_target(threads)
endif()

function(pat_test name)
  cmake_parse_arguments(arg "HEAVY;SERIAL;THREADS" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  if(PAT_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 4")
  endif()
  set(_properties TIMEOUT ${arg_TIMEOUT})
  if(PAT_SANITIZE MATCHES "thread")
    list(APPEND _properties ENVIRONMENT "${PAT_TSAN_OPTIONS}")
  elseif(PAT_SANITIZE)
    list(APPEND _properties ENVIRONMENT "ASAN_SYMBOLIZER_PATH=${PAT_SYMBOLIZER}")
  endif()
  if(arg_THREADS AND PAT_SANITIZE MATCHES "thread")
    list(APPEND _properties LABELS threads)
  elseif(arg_HEAVY)
    list(APPEND _properties LABELS heavy)
  endif()
  if(arg_SERIAL)
    list(APPEND _properties RUN_SERIAL ON)
  endif()
  add_executable(${name} ${arg_SOURCES})
  pat_own(${name})
  if(arg_THREADS AND TARGET threads)
    add_dependencies(threads ${name})
  endif()
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")  # tests/..., lib/...
  target_compile_definitions(${name} PRIVATE
    PAT_TEST_VECTORS_DIR="${PROJECT_SOURCE_DIR}/tests/vectors"
    PAT_BIN_DIR="${PROJECT_BINARY_DIR}/bin")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} GTest::gmock GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} TEST_PREFIX "${name}/"
    PROPERTIES ${_properties})
endfunction()
