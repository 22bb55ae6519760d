"""Two maps of the Linux kernel, taken out of the archive that Debian's linux-source package installs."""

_MEMBERS = [
    "Makefile",
    "include/linux/maple_tree.h",
    "include/linux/xarray.h",
    "lib/maple_tree.c",
    "lib/xarray.c",
]

# What these files include of the rest of the kernel. Each becomes a file that includes shim/kernel.h.
_SHIMS = [
    "asm/barrier.h",
    "linux/bitmap.h",
    "linux/bug.h",
    "linux/compiler.h",
    "linux/export.h",
    "linux/gfp.h",
    "linux/kconfig.h",
    "linux/kernel.h",
    "linux/limits.h",
    "linux/list.h",
    "linux/rcupdate.h",
    "linux/sched/mm.h",
    "linux/slab.h",
    "linux/spinlock.h",
    "linux/types.h",
    "trace/events/maple_tree.h",
]

def _version(makefile):
    """The version that the kernel's Makefile begins with, such as 6.1.192."""
    fields = {}
    for line in makefile.splitlines()[:8]:
        name, equals, value = line.partition("=")
        if equals:
            fields[name.strip()] = value.strip()
    return ".".join([fields[name] for name in ["VERSION", "PATCHLEVEL", "SUBLEVEL"]])

def _linux_source_impl(ctx):
    archive = ctx.path(ctx.attr.archive)
    if not archive.exists:
        fail("%s is not there: bench/compare needs the package linux-source-6.1" % archive)
    top = archive.basename[:-len(".tar.xz")]

    # --occurrence lets tar stop at the last member; the archive unpacks to 1.3 GB.
    command = ["tar", "--extract", "--xz", "--file", str(archive), "--occurrence=1", "--strip-components=1"]
    result = ctx.execute(
        command + ["%s/%s" % (top, member) for member in _MEMBERS],
        environment = {"XZ_DEFAULTS": "--threads=0"},
    )
    if result.return_code != 0:
        fail("unpacking %s: %s" % (archive, result.stderr))
    for shim in _SHIMS:
        ctx.file("include/" + shim, '#include "third_party/linux/shim/kernel.h"\n', executable = False)
    ctx.template(
        "BUILD",
        ctx.attr.build_file,
        substitutions = {"{version}": _version(ctx.read("Makefile"))},
        executable = False,
    )

linux_source = repository_rule(
    implementation = _linux_source_impl,
    attrs = {
        "archive": attr.string(mandatory = True),
        "build_file": attr.label(mandatory = True, allow_single_file = True),
    },
)
