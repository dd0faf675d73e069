# How libpat's own targets are compiled, and when optional parts are built.

# pat_own(TARGET): language level, warnings and sanitizers for a target of ours.
# Kept off the interface: a host that links libpat gets none of these flags.
function(pat_own target)
  target_compile_features(${target} PRIVATE cxx_std_17)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_STANDARD_REQUIRED ON)
  # clang's -Wconversion brings -Wsign-conversion along, g++'s does not: the same for both.
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion)
  # Decisions are zeroed and copied whole; "rep stos", g++'s choice for that, takes 10 ns to begin.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
    target_compile_options(${target} PRIVATE
      -mmemset-strategy=vector_loop:256:noalign,libcall:-1:noalign
      -mmemcpy-strategy=vector_loop:256:noalign,libcall:-1:noalign)
  endif()
  if(PAT_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(PAT_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${PAT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(${target} PUBLIC $<BUILD_INTERFACE:-fsanitize=${PAT_SANITIZE}>)
  endif()
  if(PAT_COVERAGE)
    target_compile_options(${target} PRIVATE -fprofile-instr-generate -fcoverage-mapping
      "-fprofile-list=${PROJECT_BINARY_DIR}/covered.list")
    target_link_options(${target} PUBLIC $<BUILD_INTERFACE:-fprofile-instr-generate>)
  endif()
endfunction()

# Only these are counted, in whatever they are compiled into. (ccache makes names relative.)
if(PAT_COVERAGE)
  file(RELATIVE_PATH _from_build "${PROJECT_BINARY_DIR}" "${PROJECT_SOURCE_DIR}")
  file(WRITE "${PROJECT_BINARY_DIR}/covered.list" "")
  foreach(_root "${PROJECT_SOURCE_DIR}/" "${_from_build}")
    file(APPEND "${PROJECT_BINARY_DIR}/covered.list"
      "src:${_root}lib/*\nsrc:${_root}include/pat/*\n")
  endforeach()
endif()

# pat_fuzzable(TARGET): where fuzz targets are built, libFuzzer sees the ways through TARGET.
function(pat_fuzzable target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND PAT_SANITIZE MATCHES "address")
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
endfunction()

# pat_wanted(OPTION PACKAGE OUT): OUT is ON if OPTION is ON (PACKAGE is then
# required), or if it is AUTO, libpat is the top-level project, BUILD_TESTING
# is not off and PACKAGE is there.
function(pat_wanted option package out)
  set(_wanted OFF)
  if("${${option}}" STREQUAL "AUTO")
    if(_pat_top AND BUILD_TESTING)
      find_package(${package} QUIET)
      if(${package}_FOUND)
        set(_wanted ON)
      else()
        message(STATUS "${package} not found: ${option} is off")
      endif()
    endif()
  elseif(${option})
    find_package(${package} REQUIRED)
    set(_wanted ON)
  endif()
  set(${out} ${_wanted} PARENT_SCOPE)
endfunction()
