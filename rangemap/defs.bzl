"""The library, as a macro: tests build it a second time with other constants."""

load("//bazel:copts.bzl", "RANGEMAP_COPTS")
load("//bazel:layers.bzl", "layered_library")
load(":layers.bzl", "RANGEMAP_LAYERS")

def rangemap_library(
        name,
        internal,
        defines = [],
        copts = [],
        target_compatible_with = [],
        testonly = False,
        visibility = None,
        deps = []):
    """Defines a build of the library and its internal headers.

    A program links one build only: they all define the same functions.

    Args:
      name: the library, of which outsiders see rangemap.h alone.
      internal: name of a second target, for tests and benchmarks: the library with its private headers.
      defines: preprocessor definitions, which whoever depends on the library gets too.
      copts: options of the library's own sources.
      target_compatible_with: of the library.
      testonly: whether only tests may use it.
      visibility: of the library.
      deps: what comes before the real Concurrency Kit.
    """
    layered_library(
        name = name,
        testonly = testonly,
        hdrs = [
            "rangemap.h",
            "rangemap.hpp",
        ],
        copts = RANGEMAP_COPTS + copts,
        defines = defines,
        internal = internal,
        internal_visibility = [
            "//bench:__subpackages__",
            "//test:__subpackages__",
        ],
        layers = RANGEMAP_LAYERS,
        linkopts = ["-pthread"] + select({
            "//bazel:checked": ["-ldl"],
            "//conditions:default": [],
        }),
        local_defines = select({
            "//bazel:checked": ["RANGEMAP_CHECKED=1"],
            "//conditions:default": [],
        }),
        target_compatible_with = target_compatible_with,
        visibility = visibility,
        deps = deps + ["//third_party:ck"],
    )
