"""Tests of the library: each is linked with it as it is, and again with the build of small nodes."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//bazel:copts.bzl", "RANGEMAP_COPTS")
load("//test:defs.bzl", "rangemap_c_test")

_LIBRARY = {
    "": "//rangemap",
    "_small": "//rangemap:rangemap_small",
}

def map_test_support(name, srcs, hdrs, deps):
    """A library for tests, once for each build of rangemap."""
    for suffix, library in _LIBRARY.items():
        cc_library(
            name = name + suffix,
            testonly = True,
            srcs = srcs,
            hdrs = hdrs,
            copts = RANGEMAP_COPTS,
            deps = deps + [library],
        )

def map_test(name, srcs, small = True, long = False, tags = [], **kwargs):
    """X_test, with X_small_test beside it, in which three entries fill a node, and X_long_test.

    Args:
      name: ends in _test.
      srcs: C files.
      small: whether to declare the second one.
      long: whether to declare the third: the second (or first) with --long, run by hand.
      tags: of all of them.
      **kwargs: as for cc_test.
    """
    deps = []
    for suffix, library in _LIBRARY.items():
        if suffix == "" or small:
            deps = [
                library,
                ":support" + suffix,
                "//test/shim:prng",
            ]
            rangemap_c_test(
                name = name.replace("_test", suffix + "_test"),
                srcs = srcs,
                tags = tags,
                deps = deps,
                **kwargs
            )
    if long:
        rangemap_c_test(
            name = name.replace("_test", "_long_test"),
            srcs = srcs,
            args = ["--long"],
            tags = tags + ["manual"],
            timeout = "eternal",
            deps = deps,
        )
