"""What dependencies.bzl is for WORKSPACE, for MODULE.bazel. Untested, as that file says."""

load("@bazel_tools//tools/build_defs/repo:local.bzl", "new_local_repository")
load("//third_party/linux:linux_source.bzl", "linux_repositories")

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
    linux_repositories()

dependencies = module_extension(implementation = _dependencies_impl)

development = module_extension(implementation = _development_impl)
