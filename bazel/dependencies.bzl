"""Where the repositories come from that this project's BUILD files name.

A workspace that uses rangemap calls rangemap_dependencies() in its WORKSPACE file. Nothing here downloads anything. A
repository that is defined already is left alone.
"""

def _define(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def rangemap_dependencies():
    """What the library needs: Concurrency Kit, as the system installed it.

    To use another one, define @ck before: a cc_library named `ck` that makes <ck_pr.h> and its siblings includable.
    """
    _define(
        native.new_local_repository,
        name = "ck",
        build_file = "@rangemap//third_party:ck.BUILD",
        path = "/usr",
    )

def rangemap_development_dependencies():
    """What only the project's own tests, benchmarks and examples use."""
    _define(
        native.new_local_repository,
        name = "system",
        build_file = "@rangemap//third_party:system.BUILD",
        path = "/usr",
    )

def _written_repository_impl(context):
    context.file("WORKSPACE", "")
    for path, content in context.attr.files.items():
        context.file(path, content)

_written_repository = repository_rule(
    implementation = _written_repository_impl,
    attrs = {"files": attr.string_dict(doc = "path -> content")},
)

_RULES_CC = """# The built-in rules, under the names by which rules_cc exports them.
cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library
"""

# Every cc_test names this target, though only `bazel coverage` uses it. It is empty: coverage is not supported.
_COVERAGE = """filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
"""

def debian_bazel_repositories():
    """What Bazel 4.2.3 would download by itself, from Debian's packages. No other Bazel needs this."""
    _define(_written_repository, name = "rules_cc", files = {"cc/BUILD": "", "cc/defs.bzl": _RULES_CC})
    _define(_written_repository, name = "remote_coverage_tools", files = {"BUILD": _COVERAGE})
    for name, path in {
        "platforms": "/usr/share/bazel/tools/platforms",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        _define(native.local_repository, name = name, path = path)
