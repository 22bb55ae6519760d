"""Where the repositories come from that this project's BUILD files name.

A workspace that uses rangemap calls rangemap_dependencies() in its WORKSPACE file. Nothing here downloads anything. A
repository that is defined already is left alone.
"""

def _define(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def rangemap_dependencies(ck_source = None):
    """What the library needs: Concurrency Kit, as the system installed it.

    To use another one, define @ck before: a cc_library named `ck` that makes <ck_pr.h> and its siblings includable.
    http_archive with build_file = "@rangemap//third_party:ck_source.BUILD" does it with a release of theirs.

    Args:
      ck_source: folder of Concurrency Kit's source, to compile what is needed of it instead.
    """
    _define(
        native.new_local_repository,
        name = "ck",
        build_file = "@rangemap//third_party:" + ("ck_source.BUILD" if ck_source else "ck.BUILD"),
        path = ck_source or "/usr",
    )

    # Looked at with --config=arm64 only.
    _define(
        native.new_local_repository,
        name = "arm64",
        build_file = "@rangemap//third_party:arm64.BUILD",
        path = "/usr/local/lib/rangemap-arm64/usr",
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

# A file cannot export a built-in name under that name, but one that it loads.
_RULES_CC_BUILT_IN = """built_in_cc_common = cc_common
built_in_cc_info = CcInfo
"""

_RULES_CC_COMMON = """load(":built_in.bzl", "built_in_{alias}")

{name} = built_in_{alias}
"""

_RULES_SHELL = """# The built-in rule, under the name by which rules_shell exports it.
sh_{kind} = native.sh_{kind}
"""

_RULES_PYTHON = """# The built-in rules, under the names by which rules_python exports them.
py_binary = native.py_binary
py_library = native.py_library
py_test = native.py_test
"""

# Every cc_test names this target, though only `bazel coverage` uses it. It is empty: coverage is not supported.
_COVERAGE = """filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
"""

def debian_bazel_repositories():
    """What Bazel 4.2.3 would download by itself, from Debian's packages. No other Bazel needs this."""
    _define(_written_repository, name = "rules_cc", files = {
        "cc/BUILD": "",
        "cc/common/BUILD": "",
        "cc/common/built_in.bzl": _RULES_CC_BUILT_IN,
        "cc/common/cc_common.bzl": _RULES_CC_COMMON.format(name = "cc_common", alias = "cc_common"),
        "cc/common/cc_info.bzl": _RULES_CC_COMMON.format(name = "CcInfo", alias = "cc_info"),
        "cc/defs.bzl": _RULES_CC,
    })
    shell = {"shell/sh_%s.bzl" % kind: _RULES_SHELL.format(kind = kind) for kind in ["binary", "library", "test"]}
    shell["shell/BUILD"] = ""
    _define(_written_repository, name = "rules_shell", files = shell)
    _define(_written_repository, name = "rules_python", files = {"python/BUILD": "", "python/defs.bzl": _RULES_PYTHON})
    _define(_written_repository, name = "remote_coverage_tools", files = {"BUILD": _COVERAGE})
    for name, path in {
        "platforms": "/usr/share/bazel/tools/platforms",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        _define(native.local_repository, name = name, path = path)
