"""What targets take of the system."""

_LabelsInfo = provider(
    "The labels outside of this project that a target depends on.",
    fields = {"labels": "depset of strings"},
)

_ATTRIBUTES = ["actual", "data", "deps", "srcs"]

_SYSTEM = ["linux_source", "system"]

def _targets_of(attribute):
    return attribute if type(attribute) == "list" else [attribute]

def _aspect_impl(target, ctx):
    below = []
    for name in _ATTRIBUTES:
        for other in _targets_of(getattr(ctx.rule.attr, name, None)):
            if type(other) == "Target" and _LabelsInfo in other:
                below.append(other[_LabelsInfo].labels)
    own = [str(target.label)] if target.label.workspace_name in _SYSTEM else []
    return [_LabelsInfo(labels = depset(own, transitive = below))]

_aspect = aspect(
    implementation = _aspect_impl,
    attr_aspects = _ATTRIBUTES,
)

def _impl(ctx):
    lines = []
    for target, names in ctx.attr.targets.items():
        lines.append(" ".join([names.replace(" ", ",")] + sorted(target[_LabelsInfo].labels.to_list())))
    out = ctx.actions.declare_file(ctx.label.name + ".txt")
    ctx.actions.write(out, "\n".join(lines) + "\n")
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles([out]))]

# Writes NAME.txt, a line for each target: its names, separated by commas, and the labels of @system and @linux_source that
# it depends on in this configuration. //packaging/test:bazelw_test compares them with the list of packages. Nothing of the
# targets is built.
system_labels = rule(
    implementation = _impl,
    attrs = {
        "targets": attr.label_keyed_string_dict(
            aspects = [_aspect],
            doc = "targets, and the names by which they are called",
        ),
    },
)
