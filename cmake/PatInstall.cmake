# Install rules: headers, libpat_core.a with its libpat_bssl_crypto.a, patctl and
# the CMake package. BoringSSL's headers are never installed.
include(CMakePackageConfigHelpers)
set(_pat_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/pat")

install(DIRECTORY include/pat DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(TARGETS pat_model pat_core EXPORT patTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PAT_BSSL_ARCHIVE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" RENAME libpat_bssl_crypto.a)
install(EXPORT patTargets NAMESPACE pat:: DESTINATION "${_pat_config_dir}")
if(TARGET patctl)
  install(TARGETS patctl DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()

configure_package_config_file(cmake/patConfig.cmake.in "${PROJECT_BINARY_DIR}/patConfig.cmake"
  INSTALL_DESTINATION "${_pat_config_dir}" PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/patConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/patConfig.cmake" "${PROJECT_BINARY_DIR}/patConfigVersion.cmake"
  cmake/FindLMDB.cmake DESTINATION "${_pat_config_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
