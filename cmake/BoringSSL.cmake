# Provides pat::bssl: BoringSSL's libcrypto as a static, position-independent,
# hidden archive whose every symbol carries the prefix pat_bssl, so that it can
# live in one process with the host's OpenSSL. With it come the include folder
# and BORINGSSL_PREFIX. Headers and archive stay private to libpat.
#
# Where it comes from, the first that is given:
#   BoringSSL_ROOT        an install: include/openssl/, lib/libcrypto.a
#     BoringSSL_PREFIX      ... already built with this BORINGSSL_PREFIX; without
#                           it a C-only archive is prefixed here with objcopy
#   PAT_BSSL_SOURCE_DIR   an unpacked Debian source package, built here
#   (neither)             Debian's source package, fetched once into PAT_DEPS_DIR
set(BoringSSL_ROOT "" CACHE PATH "install of BoringSSL to use")
set(BoringSSL_PREFIX "" CACHE STRING "BORINGSSL_PREFIX that BoringSSL_ROOT was built with")
set(PAT_BSSL_SOURCE_DIR "" CACHE PATH "unpacked Debian source package of BoringSSL")
set(PAT_DEPS_DIR "${CMAKE_BINARY_DIR}/deps" CACHE PATH "where fetched sources are kept")
set(PAT_BSSL_PREFIX pat_bssl)

add_library(pat_bssl_iface INTERFACE)
add_library(pat::bssl ALIAS pat_bssl_iface)
target_link_libraries(pat_bssl_iface INTERFACE Threads::Threads)

if(BoringSSL_ROOT)
  include(boringssl/FromRoot)
else()
  set(_src "${PAT_BSSL_SOURCE_DIR}")
  if(NOT _src)
    set(_src "${PAT_DEPS_DIR}/boringssl-src")
    if(NOT EXISTS "${_src}/android-sources.cmake")
      message(STATUS "Fetching BoringSSL's source package")
      execute_process(RESULT_VARIABLE _rc
        COMMAND sh "${CMAKE_CURRENT_LIST_DIR}/boringssl/get_debian_source.sh" "${_src}")
      if(NOT _rc EQUAL 0)
        message(FATAL_ERROR "no BoringSSL source package; "
          "give -DPAT_BSSL_SOURCE_DIR= or -DBoringSSL_ROOT=")
      endif()
    endif()
  endif()
  if(NOT EXISTS "${_src}/android-sources.cmake")
    message(FATAL_ERROR "no android-sources.cmake in '${_src}'")
  endif()
  message(STATUS "BoringSSL: ${_src}")
  set(PAT_BSSL_SOURCE "${_src}")
  add_subdirectory("${CMAKE_CURRENT_LIST_DIR}/boringssl" "${CMAKE_CURRENT_BINARY_DIR}/boringssl"
    EXCLUDE_FROM_ALL)
  target_link_libraries(pat_bssl_iface INTERFACE pat_bssl_crypto)
  target_include_directories(pat_bssl_iface SYSTEM INTERFACE
    "${CMAKE_CURRENT_BINARY_DIR}/boringssl/prefix" "${_src}/src/include")
  set(PAT_BSSL_ARCHIVE "$<TARGET_FILE:pat_bssl_crypto>")
endif()
target_compile_definitions(pat_bssl_iface INTERFACE BORINGSSL_PREFIX=${PAT_BSSL_PREFIX})
