"""For targets that make no sense with a sanitizer: it has no static runtime, takes stack and memory of its own, and instruments once."""

NOT_WITH_SANITIZERS = select({
    "//bazel:asan": ["@platforms//:incompatible"],
    "//bazel:tsan": ["@platforms//:incompatible"],
    "//bazel:ubsan": ["@platforms//:incompatible"],
    "//conditions:default": [],
})
