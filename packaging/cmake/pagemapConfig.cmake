# find_package(pagemap) defines
#   pagemap::pagemap         the shared library
#   pagemap::pagemap_static  the static one, if rangemap::rangemap_static is there
# and what find_package(rangemap) does.
include(CMakeFindDependencyMacro)
find_dependency(rangemap ${pagemap_VERSION} EXACT HINTS "${CMAKE_CURRENT_LIST_DIR}/../rangemap")

if(NOT TARGET pagemap::pagemap)
    add_library(pagemap::pagemap SHARED IMPORTED)
    set_target_properties(pagemap::pagemap PROPERTIES
        IMPORTED_LOCATION "${rangemap_LIBRARY_DIR}/libpagemap.so.${rangemap_VERSION}"
        IMPORTED_SONAME "libpagemap.so.${rangemap_ABI}"
        INTERFACE_INCLUDE_DIRECTORIES "${rangemap_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES rangemap::rangemap)
endif()

if(NOT TARGET pagemap::pagemap_static AND TARGET rangemap::rangemap_static)
    add_library(pagemap::pagemap_static STATIC IMPORTED)
    set_target_properties(pagemap::pagemap_static PROPERTIES
        IMPORTED_LOCATION "${rangemap_LIBRARY_DIR}/libpagemap.a"
        INTERFACE_INCLUDE_DIRECTORIES "${rangemap_INCLUDE_DIR}"
        INTERFACE_LINK_LIBRARIES rangemap::rangemap_static)
endif()
