# SPDX-License-Identifier: BSD-2-Clause
"""Usage: report FILE.json OUT.html

Makes one self-contained page with plots of what `compare --json FILE.json` measured, or `cores` predicted.
"""

import os
import sys

import results
from cores_page import CoresPage
from page import Page


def user_path(path):
    """`bazel run` starts the program elsewhere than where the user typed the path."""
    return os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", ""), path)


def main(arguments):
    if arguments in (["-h"], ["--help"]):
        print(__doc__, end="")
        return 0
    if len(arguments) != 2 or arguments[0].startswith("-"):
        print(__doc__, end="", file=sys.stderr)
        return 2
    try:
        document = results.load(user_path(arguments[0]))
        page = (CoresPage if document["program"] == results.CORES else Page)(document).html()
        with open(user_path(arguments[1]), "w", encoding="utf-8") as file:
            file.write(page)
    except (OSError, results.BadResults, RuntimeError) as error:
        print(f"report: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
