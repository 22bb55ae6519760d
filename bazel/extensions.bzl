"""What dependencies.bzl is for WORKSPACE, for MODULE.bazel. Untested, as that file says."""

load("@bazel_tools//tools/build_defs/repo:local.bzl", "new_local_repository")
load("//third_party/linux:linux_source.bzl", "DRIVERS", "TREES", "TREES_SHIMS", "linux_source")

def _dependencies_impl(_context):
    new_local_repository(
        name = "ck",
        build_file = "//third_party:ck.BUILD",
        path = "/usr",
    )
    new_local_repository(
        name = "arm64",
        build_file = "//third_party:arm64.BUILD",
        path = "/usr/local/lib/rangemap-arm64/usr",
    )

def _development_impl(_context):
    new_local_repository(
        name = "system",
        build_file = "//third_party:system.BUILD",
        path = "/usr",
    )
    linux_source(
        name = "linux_source",
        archive = "/usr/src/linux-source-6.1.tar.xz",
        build_file = "//third_party/linux:linux_source.BUILD",
        members = TREES,
        shims = TREES_SHIMS,
    )
    linux_source(
        name = "linux_drivers",
        archive = "/usr/src/linux-source-6.1.tar.xz",
        build_file = "//third_party/linux:linux_drivers.BUILD",
        members = DRIVERS,
    )

dependencies = module_extension(implementation = _dependencies_impl)

development = module_extension(implementation = _development_impl)
