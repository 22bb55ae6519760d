# UNTESTED, as vcpkg.json says. Set RANGEMAP_SOURCE to an unpacked release, and CK_SOURCE to Concurrency Kit's source,
# which has no port.
set(SOURCE_PATH "$ENV{RANGEMAP_SOURCE}")
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}" OPTIONS "-DRANGEMAP_CK_SOURCE=$ENV{CK_SOURCE}")
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME rangemap CONFIG_PATH lib/cmake/rangemap DO_NOT_DELETE_PARENT_CONFIG_PATH)
vcpkg_cmake_config_fixup(PACKAGE_NAME pagemap CONFIG_PATH lib/cmake/pagemap)
# Its paths are relative, and it has just been moved from lib/cmake/rangemap to share/rangemap.
set(paths "${CURRENT_PACKAGES_DIR}/share/rangemap/rangemapPaths.cmake")
vcpkg_replace_string("${paths}" [[{CMAKE_CURRENT_LIST_DIR}/../../../include"]] [[{CMAKE_CURRENT_LIST_DIR}/../../include"]])
vcpkg_replace_string("${paths}" [[{CMAKE_CURRENT_LIST_DIR}/../.."]] [[{CMAKE_CURRENT_LIST_DIR}/../../lib"]])
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
