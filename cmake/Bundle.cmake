# PAT_BUNDLE_DEPS=ON, or ThreadSanitizer: Abseil, protobuf-lite and LMDB are built here, private to
# libpat, from Debian's source packages, fetched once into PAT_DEPS_DIR.
set(PAT_BUNDLE_SOURCE_DIR "" CACHE PATH "unpacked source packages: abseil/, protobuf/, lmdb/")
set(PAT_BUNDLE_SOURCES "${PAT_BUNDLE_SOURCE_DIR}")
if(NOT PAT_BUNDLE_SOURCES)
  set(PAT_BUNDLE_SOURCES "${PAT_DEPS_DIR}/bundle-src")
  message(STATUS "Bundled sources: ${PAT_BUNDLE_SOURCES}")
  execute_process(RESULT_VARIABLE _rc
    COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/bundle/get_sources.sh" "${PAT_BUNDLE_SOURCES}")
  if(NOT _rc EQUAL 0)
    message(FATAL_ERROR "no sources of Abseil, Protobuf and LMDB; give -DPAT_BUNDLE_SOURCE_DIR=")
  endif()
endif()

# The generated code must fit the bundled library's version: Debian's protoc of the same package.
find_program(PAT_PROTOC protoc REQUIRED)
execute_process(COMMAND "${PAT_PROTOC}" --version OUTPUT_VARIABLE _protoc)
if(NOT _protoc MATCHES " 3\\.21\\.12")
  message(FATAL_ERROR "the bundled Protobuf needs protoc 3.21.12, not: ${_protoc}")
endif()
add_executable(protobuf::protoc IMPORTED GLOBAL)
set_target_properties(protobuf::protoc PROPERTIES IMPORTED_LOCATION "${PAT_PROTOC}")

add_subdirectory("${CMAKE_CURRENT_LIST_DIR}/bundle" bundle EXCLUDE_FROM_ALL)
