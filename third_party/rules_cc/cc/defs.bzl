"""@rules_cc for Bazel 4.2.3, which still has these rules built in (Debian's bazel-rules-cc wants a newer Bazel)."""

cc_binary = native.cc_binary
cc_import = native.cc_import
cc_library = native.cc_library
cc_test = native.cc_test
cc_toolchain = native.cc_toolchain
cc_toolchain_suite = native.cc_toolchain_suite
objc_library = native.objc_library
