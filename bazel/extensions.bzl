"""What dependencies.bzl is for WORKSPACE, for MODULE.bazel. Untested, as that file says."""

load("@bazel_tools//tools/build_defs/repo:local.bzl", "new_local_repository")

def _dependencies_impl(_context):
    new_local_repository(
        name = "ck",
        build_file = "//third_party:ck.BUILD",
        path = "/usr",
    )

def _development_impl(_context):
    new_local_repository(
        name = "system",
        build_file = "//third_party:system.BUILD",
        path = "/usr",
    )

dependencies = module_extension(implementation = _dependencies_impl)

development = module_extension(implementation = _development_impl)
