# SPDX-License-Identifier: BSD-2-Clause
"""UNTESTED: Conan was not within reach when this was written. `conan create packaging/conan`, with the environment variable
RANGEMAP_CK_SOURCE set to the folder of Concurrency Kit's source."""

import os

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy


class Rangemap(ConanFile):
    name = "rangemap"
    version = "0.1.0"
    license = "BSD-2-Clause"
    description = "Lock-free concurrent map from 64-bit ranges to values"
    settings = "os", "arch", "compiler", "build_type"

    def export_sources(self):
        root = os.path.join(self.recipe_folder, "..", "..")
        for pattern in ("CMakeLists.txt", "LICENSE", "bazel/version.bzl", "docs/manual.md", "packaging/*", "pagemap/*",
                        "rangemap/*", "third_party/ck/*", "tools/gdb/rangemap.py"):
            copy(self, pattern, root, self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["RANGEMAP_CK_SOURCE"] = os.environ.get("RANGEMAP_CK_SOURCE", "")
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()

    def package_info(self):
        self.cpp_info.set_property("cmake_find_mode", "none")  # the installed CMake packages
        self.cpp_info.builddirs.append(os.path.join("lib", "cmake"))
