# Install rules of the self-contained C library: its headers, libpat.so.<ABI>, libpat.a, libpat.pc,
# libpat-static.pc and pat::c for find_package. It may share a prefix with the C++ packages of cmake/PatInstall.cmake.
include(CMakePackageConfigHelpers)
set(_pat_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/pat")

install(FILES include/pat/c.h include/pat/c_types.h include/pat/c_keys.h include/pat/c_store.h
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/pat")
install(TARGETS pat_c EXPORT patCTargets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES "${PAT_C_ARCHIVE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT patCTargets NAMESPACE pat:: DESTINATION "${_pat_config_dir}")

# Relative, so that an installed tree works where it is moved to.
file(RELATIVE_PATH PAT_PC_PREFIX "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
foreach(_package libpat libpat-static)
  configure_file(capi/${_package}.pc.in "${PROJECT_BINARY_DIR}/${_package}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${_package}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()

configure_package_config_file(cmake/patConfig.cmake.in "${PROJECT_BINARY_DIR}/patConfig.cmake"
  INSTALL_DESTINATION "${_pat_config_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/patConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/patConfig.cmake" "${PROJECT_BINARY_DIR}/patConfigVersion.cmake"
  DESTINATION "${_pat_config_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
