"""How a driver of the kernel is compiled: docs/porting.md."""

# Also where this repository is a part of another. Not passed on to who links to a driver: these headers hide the system's
# <linux/...>.
PAGEMAP_COMPAT_COPTS = [
    "-I" + "/".join([part for part in [Label("//pagemap/compat:copts.bzl").workspace_root, "pagemap/compat"] if part]),
    "-std=gnu11",
    "-D_GNU_SOURCE",
    "-fno-strict-aliasing",
]
