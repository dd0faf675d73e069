# FindLMDB: LMDB ships neither a CMake config nor, everywhere, a pkg-config file.
#   LMDB::LMDB     the library and its include folder
#   LMDB_VERSION   from lmdb.h
# Hints: LMDB_ROOT, CMAKE_PREFIX_PATH.
find_path(LMDB_INCLUDE_DIR lmdb.h)
find_library(LMDB_LIBRARY lmdb)
mark_as_advanced(LMDB_INCLUDE_DIR LMDB_LIBRARY)

if(LMDB_INCLUDE_DIR AND EXISTS "${LMDB_INCLUDE_DIR}/lmdb.h")
  file(STRINGS "${LMDB_INCLUDE_DIR}/lmdb.h" _lmdb_version
    REGEX "^#define[ \t]+MDB_VERSION_(MAJOR|MINOR|PATCH)[ \t]+[0-9]+")
  list(TRANSFORM _lmdb_version REPLACE "^.*[ \t]([0-9]+).*$" "\\1")
  list(JOIN _lmdb_version "." LMDB_VERSION)
  unset(_lmdb_version)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LMDB
  REQUIRED_VARS LMDB_LIBRARY LMDB_INCLUDE_DIR VERSION_VAR LMDB_VERSION)

if(LMDB_FOUND AND LMDB_VERSION VERSION_GREATER_EQUAL 0.9.26 AND LMDB_VERSION VERSION_LESS 0.9.32)
  message(WARNING "LMDB ${LMDB_VERSION} has races when several processes close a store: "
    "take 0.9.32 or newer, or 0.9.24 as Debian 12 has it")
endif()

if(LMDB_FOUND AND NOT TARGET LMDB::LMDB)
  find_package(Threads REQUIRED)
  add_library(LMDB::LMDB UNKNOWN IMPORTED)
  set_target_properties(LMDB::LMDB PROPERTIES
    IMPORTED_LOCATION "${LMDB_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LMDB_INCLUDE_DIR}"
    INTERFACE_LINK_LIBRARIES Threads::Threads)
endif()
