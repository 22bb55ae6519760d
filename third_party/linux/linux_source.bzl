"""Files of the Linux kernel, taken out of the archive that Debian's linux-source package installs."""

# Two maps, which bench/compare measures.
TREES = [
    "include/linux/maple_tree.h",
    "include/linux/xarray.h",
    "lib/maple_tree.c",
    "lib/xarray.c",
]

# What these files include of the rest of the kernel. Each becomes a file that includes shim/kernel.h.
TREES_SHIMS = [
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

# Drivers that use struct dev_pagemap, which //test/pagemap/kernel runs on pagemap, and their own headers.
DRIVERS = [
    "drivers/dax/bus.c",
    "drivers/dax/bus.h",
    "drivers/dax/dax-private.h",
    "drivers/dax/device.c",
    "drivers/dax/hmem/device.c",
    "drivers/dax/hmem/hmem.c",
    "drivers/dax/kmem.c",
    "drivers/dax/super.c",
    "drivers/nvdimm/btt.h",
    "drivers/nvdimm/label.h",
    "drivers/nvdimm/nd.h",
    "drivers/nvdimm/pfn.h",
    "drivers/nvdimm/pmem.c",
    "drivers/nvdimm/pmem.h",
    "drivers/pci/p2pdma.c",
    "drivers/xen/unpopulated-alloc.c",
    "lib/test_hmm.c",
    "lib/test_hmm_uapi.h",
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
        fail("%s is not there: the package linux-source-6.1 brings it" % archive)
    top = archive.basename[:-len(".tar.xz")]

    # --occurrence lets tar stop at the last member; the archive unpacks to 1.3 GB.
    command = ["tar", "--extract", "--xz", "--file", str(archive), "--occurrence=1", "--strip-components=1"]
    result = ctx.execute(
        command + ["%s/%s" % (top, member) for member in ["Makefile"] + ctx.attr.members],
        environment = {"XZ_DEFAULTS": "--threads=0"},
    )
    if result.return_code != 0:
        fail("unpacking %s: %s" % (archive, result.stderr))
    for shim in ctx.attr.shims:
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
        "members": attr.string_list(mandatory = True, doc = "paths in the archive"),
        "shims": attr.string_list(doc = "headers below include/ that stand for the rest of the kernel"),
    },
)

def linux_repositories():
    """Two maps for the benchmarks, and drivers for the tests of pagemap; for WORKSPACE and MODULE.bazel alike."""
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
