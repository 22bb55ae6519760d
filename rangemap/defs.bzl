"""The library, as a macro: tests build it a second time with other constants."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//bazel:copts.bzl", "RANGEMAP_COPTS")

def rangemap_library(name, internal, defines = [], copts = [], testonly = False, visibility = None):
    """Defines a build of the library and its internal headers.

    A program links one build only: they all define the same functions.

    Args:
      name: the library, of which outsiders see rangemap.h alone.
      internal: name of a second target, for tests and benchmarks: the library with its private headers.
      defines: preprocessor definitions, which whoever depends on the library gets too.
      copts: options of the library's own sources.
      testonly: whether only tests may use it.
      visibility: of the library.
    """
    cc_library(
        name = name,
        testonly = testonly,
        srcs = native.glob(
            ["**/*.c", "**/*.h"],
            exclude = ["rangemap.h"],
        ),
        hdrs = ["rangemap.h"],
        copts = RANGEMAP_COPTS + copts,
        defines = defines,
        linkopts = ["-pthread"],
        visibility = visibility,
        deps = ["//third_party:ck"],
    )

    cc_library(
        name = internal,
        testonly = True,
        hdrs = native.glob(["**/*.h"]),
        visibility = [
            "//bench:__subpackages__",
            "//test:__subpackages__",
        ],
        deps = [":" + name],
    )
