"""Compiler options of the project's own targets. -Werror is not among them: see --config=werror in .bazelrc."""

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wcast-align",
    "-Wcast-qual",
    "-Wconversion",
    "-Wformat=2",
    "-Wpointer-arith",
    "-Wshadow",
    "-Wundef",
    "-Wvla",
    "-Wwrite-strings",
]

# For C. Strict C11 hides what the C library offers beyond it; _DEFAULT_SOURCE brings POSIX back.
RANGEMAP_COPTS = [
    "-std=c11",
    "-D_DEFAULT_SOURCE",
] + _WARNINGS + [
    "-Wmissing-prototypes",
    "-Wold-style-definition",
    "-Wstrict-prototypes",
]

# For C++: the GoogleTest shim and the benchmarks.
RANGEMAP_CXXOPTS = ["-std=c++17"] + _WARNINGS
