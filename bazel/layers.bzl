"""A library in layers: a cc_library for each folder, to which only the folders before it are there."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")

def _linked_impl(ctx):
    infos = cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps])
    return [CcInfo(linking_context = infos.linking_context)]

# What is linked of these libraries, without their headers.
_linked = rule(
    implementation = _linked_impl,
    attrs = {"deps": attr.label_list(providers = [CcInfo])},
)

def layered_library(
        name,
        layers,
        hdrs,
        internal,
        internal_visibility,
        copts,
        defines = [],
        local_defines = [],
        linkopts = [],
        target_compatible_with = [],
        testonly = False,
        visibility = None,
        deps = []):
    """Defines a library, of which outsiders see the public headers alone; and, for tests, one with its private headers as well.

    An include that goes up does not compile, a call that goes up does not link. Each folder becomes an archive, NAME_FOLDER,
    which whoever depends on the library links; what is not called stays out, as of one archive.

    Args:
      name: of the library.
      layers: (folder, what it holds) each, from the lowest.
      hdrs: the public headers, which may not include others of the library.
      internal: name of the second target.
      internal_visibility: of the second target.
      copts: of the library's own sources.
      defines: preprocessor definitions, which whoever depends on the library gets too.
      local_defines: those of the library's own sources.
      linkopts: of what the library is linked into.
      target_compatible_with: of the library.
      testonly: whether only tests may use it.
      visibility: of the library.
      deps: libraries that all layers may use.
    """
    cc_library(
        name = name + "_public",
        testonly = testonly,
        hdrs = hdrs,
        defines = defines,
    )
    below = [":%s_public" % name]
    for folder, _ in layers:
        cc_library(
            name = "%s_%s" % (name, folder),
            testonly = testonly,
            srcs = native.glob([folder + "/*.c"], allow_empty = True),
            hdrs = native.glob([folder + "/*.h"], allow_empty = True),
            copts = copts,
            linkstatic = True,  # hidden symbols are reached from the other folders
            local_defines = local_defines,
            target_compatible_with = target_compatible_with,
            deps = below + deps,
        )
        below = below + [":%s_%s" % (name, folder)]

    # For the tests that look into them.
    native.filegroup(
        name = name + "_archives",
        testonly = True,
        srcs = [":%s_%s" % (name, folder) for folder, _ in layers],
        visibility = [
            "//test/arm64:__pkg__",
            "//test/layers:__pkg__",
        ],
    )
    _linked(
        name = name + "_linked",
        testonly = testonly,
        deps = below,
    )
    cc_library(
        name = name,
        testonly = testonly,
        hdrs = hdrs,
        defines = defines,
        linkopts = linkopts,
        visibility = visibility,
        deps = [":%s_linked" % name] + deps,
    )
    cc_library(
        name = internal,
        testonly = True,
        hdrs = hdrs + native.glob(["%s/*.h" % folder for folder, _ in layers], allow_empty = True),
        visibility = internal_visibility,
        deps = [":" + name] + deps,
    )
