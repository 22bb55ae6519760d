"""Builds of the library of which rules can be broken on purpose: README.md."""

load("@rules_cc//cc:defs.bzl", "cc_library")
load("//bazel:copts.bzl", "RANGEMAP_COPTS")

_COPY = "copy"

def _patched_impl(ctx):
    """Copies the sources to their own paths below this package, and applies the patches."""
    folder = "%s/%s/%s" % (ctx.bin_dir.path, ctx.label.package, _COPY)
    copies = [ctx.actions.declare_file("%s/%s" % (_COPY, file.short_path)) for file in ctx.files.srcs]
    names = [file.path for file in ctx.files.srcs + ctx.files.patches]
    ctx.actions.run(
        outputs = copies,
        inputs = ctx.files.srcs + ctx.files.patches,
        executable = ctx.executable.tool,
        arguments = ["make", folder] + names,
        mnemonic = "Patch",
        progress_message = "Applying the patches of //" + ctx.label.package,
        use_default_shell_env = True,
    )
    return [
        DefaultInfo(files = depset(copies)),
        OutputGroupInfo(headers = depset([file for file in copies if file.extension == "h"])),
    ]

patched = rule(
    implementation = _patched_impl,
    attrs = {
        "srcs": attr.label_list(allow_files = True),
        "patches": attr.label_list(allow_files = True),
        "tool": attr.label(
            executable = True,
            cfg = "exec",
            allow_single_file = True,
            default = "//test/mutations:patches.py",
        ),
    },
)

def mutated_library(name, defines, visibility, copts = [], target_compatible_with = [], deps = []):
    """The library with its private headers, patched. Whoever links it defines rm_broken_rule.

    Args:
      name: of the library.
      defines: preprocessor definitions, which whoever depends on the library gets too.
      visibility: of the library.
      copts: options of the library's own sources.
      target_compatible_with: of the library.
      deps: what comes before the real Concurrency Kit.
    """
    cc_library(
        name = name,
        testonly = True,
        srcs = [":sources"],
        hdrs = [
            "rules.h",
            "site.h",
            "weaken.h",
            ":headers",
        ],
        copts = RANGEMAP_COPTS + copts,
        defines = defines,
        includes = [_COPY],
        linkopts = ["-pthread"],
        target_compatible_with = target_compatible_with,
        visibility = visibility,
        deps = deps + ["//third_party:ck"],
    )
