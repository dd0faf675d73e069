# The self-contained libpat.so.<ABI> and libpat.a. Both hold all of pat::core and of its private
# dependencies, and show nothing but the functions of pat.map.
foreach(_target IN ITEMS pat_capi pat_core)
  target_compile_options(${_target} PRIVATE -ffunction-sections -fdata-sections
    $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
endforeach()

add_library(pat_c SHARED $<TARGET_OBJECTS:pat_capi>)
set_target_properties(pat_c PROPERTIES
  OUTPUT_NAME pat
  EXPORT_NAME c
  VERSION ${PAT_ABI}.${PROJECT_VERSION}
  SOVERSION ${PAT_ABI}
  LINK_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/pat.map")
target_include_directories(pat_c INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_libraries(pat_c PRIVATE $<BUILD_INTERFACE:pat_core>)
target_link_options(pat_c PRIVATE
  "LINKER:--version-script=${CMAKE_CURRENT_SOURCE_DIR}/pat.map"
  LINKER:--exclude-libs,ALL LINKER:-Bsymbolic-functions LINKER:--gc-sections LINKER:--as-needed
  LINKER:--no-undefined
  LINKER:-z,defs LINKER:-z,relro LINKER:-z,now LINKER:-z,nodynamic-undefined-weak)

# libpat.a: one object in which all but the C functions is local, so not even the C++ names of
# libpat can meet a host's (which may use pat::core itself).
add_custom_command(OUTPUT libpat.a
  COMMAND sh "${CMAKE_CURRENT_SOURCE_DIR}/merge.sh" "${CMAKE_CXX_COMPILER}" "${CMAKE_OBJCOPY}"
    "${CMAKE_AR}" "${CMAKE_CURRENT_SOURCE_DIR}/pat.map" "${PROJECT_BINARY_DIR}"
    "${CMAKE_CURRENT_BINARY_DIR}/libpat.a" $<TARGET_OBJECTS:pat_capi>
  DEPENDS merge.sh pat.map pat_c pat_core pat_bssl_crypto pat_protobuf pat_lmdb
    $<TARGET_OBJECTS:pat_capi>
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(pat_c_archive ALL DEPENDS libpat.a)
set(PAT_C_ARCHIVE "${CMAKE_CURRENT_BINARY_DIR}/libpat.a" PARENT_SCOPE)
set(PAT_ABI "${PAT_ABI}" PARENT_SCOPE)
