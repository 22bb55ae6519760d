"""How this project declares a test."""

load("@rules_cc//cc:defs.bzl", "cc_test")
load("//bazel:copts.bzl", "RANGEMAP_COPTS")

def rangemap_c_test(name, srcs, deps = [], copts = [], **kwargs):
    """A program of TEST_CASEs in C (test/shim/ctest.h), run by GoogleTest.

    Tests with threads carry tags = ["tsan"]: .ci/run runs these under ThreadSanitizer too.

    Args:
      name: of the test, ending in _test.
      srcs: C files and their headers.
      deps: beyond the shim.
      copts: beyond the project's own.
      **kwargs: as for cc_test; size is always worth stating.
    """
    cc_test(
        name = name,
        srcs = srcs,
        copts = RANGEMAP_COPTS + copts,
        linkstatic = True,  # as users link the library, and its hidden symbols stay reachable
        deps = deps + ["//test/shim:ctest"],
        **kwargs
    )
