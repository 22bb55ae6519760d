# find_package(rangemap) defines
#   rangemap::rangemap         the shared library
#   rangemap::rangemap_static  the static one, if Concurrency Kit is there to link it with
include(CMakeFindDependencyMacro)
include("${CMAKE_CURRENT_LIST_DIR}/rangemapPaths.cmake")

if(NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(rangemap_FOUND FALSE)
    set(rangemap_NOT_FOUND_MESSAGE "rangemap supports 64-bit targets only")
    return()
endif()

if(NOT TARGET rangemap::rangemap)
    add_library(rangemap::rangemap SHARED IMPORTED)
    set_target_properties(rangemap::rangemap PROPERTIES
        IMPORTED_LOCATION "${rangemap_LIBRARY_DIR}/librangemap.so.${rangemap_VERSION}"
        IMPORTED_SONAME "librangemap.so.${rangemap_ABI}"
        INTERFACE_INCLUDE_DIRECTORIES "${rangemap_INCLUDE_DIR}")
endif()

if(NOT TARGET rangemap::rangemap_static)
    set(THREADS_PREFER_PTHREAD_FLAG TRUE)
    find_dependency(Threads)
    if(rangemap_CK_LIBS)
        find_library(rangemap_CK_LIBRARY ck)
        mark_as_advanced(rangemap_CK_LIBRARY)
    endif()
    if(rangemap_CK_LIBRARY OR NOT rangemap_CK_LIBS)
        add_library(rangemap::rangemap_static STATIC IMPORTED)
        set_target_properties(rangemap::rangemap_static PROPERTIES
            IMPORTED_LOCATION "${rangemap_LIBRARY_DIR}/librangemap.a"
            INTERFACE_INCLUDE_DIRECTORIES "${rangemap_INCLUDE_DIR}"
            INTERFACE_LINK_LIBRARIES "${rangemap_CK_LIBRARY};Threads::Threads")
    elseif(NOT rangemap_FIND_QUIETLY)
        message(STATUS "rangemap::rangemap_static is not defined: it needs Concurrency Kit (libck) 0.7.0 or later")
    endif()
endif()
