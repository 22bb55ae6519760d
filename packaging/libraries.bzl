"""The libraries as they are installed: beside those of the build, since these have flags of their own."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library")
load("//bazel:copts.bzl", "RANGEMAP_COPTS")
load("//bazel:version.bzl", "RANGEMAP_ABI", "RANGEMAP_VERSION")

# Whatever the mode of the build. Position-independent, so that the archive fits into shared libraries too. The
# archive's debug information is for the ABI check; the installation strips it.
_COPTS = [
    "-O2",
    "-g",
    "-fPIC",
    "-DNDEBUG",
]

def installed_library(name, headers, sources, copts = [], deps = [], shared_deps = []):
    """Defines libNAME.a, and libNAME.so.VERSION, which exports what the public headers declare.

    Args:
      name: of the library, without "lib".
      headers: label of the public ones.
      sources: label of the rest.
      copts: beyond the project's own and those of an installed library.
      deps: headers of other libraries.
      shared_deps: labels of shared libraries that it needs.
    """
    version_script = "lib%s.map" % name

    native.genrule(
        name = name + "_exports",
        srcs = [headers],
        outs = [version_script],
        cmd = "python3 $(location exports.py) %s_%s $(locations %s) >$@" % (name.upper(), RANGEMAP_ABI, headers),
        tools = [
            "exports.py",
            "header.py",
        ],
        visibility = ["//packaging/test:__pkg__"],
    )

    # With alwayslink all of it goes into the shared library.
    cc_library(
        name = name + "_objects",
        srcs = [sources],
        hdrs = [headers],
        alwayslink = True,
        copts = RANGEMAP_COPTS + copts + _COPTS,
        linkstatic = True,
        deps = deps,
    )

    # An optimised build makes two archives, which differ in name only.
    native.genrule(
        name = name + "_archive",
        srcs = [name + "_objects"],
        outs = ["lib%s.a" % name],
        cmd = "set -- $(SRCS) && cp \"$$1\" $@",
        visibility = ["//packaging/test:__pkg__"],
    )

    cc_binary(
        name = "lib%s.so.%s" % (name, RANGEMAP_VERSION),
        additional_linker_inputs = [version_script] + shared_deps,
        linkopts = [
            "-Wl,--version-script=$(location %s)" % version_script,
            "-Wl,-soname=lib%s.so.%s" % (name, RANGEMAP_ABI),
            "-Wl,-z,relro,-z,now",
            "-Wl,-z,nodelete",  # several plugins may use it
            "-Wl,--as-needed",
        ] + ["$(location %s)" % library for library in shared_deps] + ["-pthread"],
        linkshared = True,
        linkstatic = True,
        visibility = [
            "//packaging/test:__pkg__",
            "//tools/checked:__pkg__",
        ],
        deps = [name + "_objects"],
    )
