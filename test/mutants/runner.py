# SPDX-License-Identifier: BSD-2-Clause
"""Runs one test with limits of time, memory and output."""

import os
import resource
import signal
import subprocess
import tempfile
import time

_MEMORY_BYTES = 4 << 30
_OUTPUT_BYTES = 64 << 20


def _resident_bytes(pid):
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):
        return 0


def _watch(process, output, limit_s):
    """Waits for the end, or a limit: what ended it."""
    until, pause = time.monotonic() + limit_s, 0.005
    while True:
        try:
            process.wait(pause)
            return None
        except subprocess.TimeoutExpired:
            pause = min(2 * pause, 0.2)
        if time.monotonic() > until:
            return "hangs"
        if _resident_bytes(process.pid) > _MEMORY_BYTES:
            return "takes memory without end"
        if os.fstat(output.fileno()).st_size > _OUTPUT_BYTES:
            return "writes without end"


def _end_if_orphaned(pid, limit_s):
    """One that spins would go on for ever if this program were killed: it gets no more processor time than it may take."""
    most_s = int(limit_s + 1) * (os.cpu_count() or 1)
    try:
        resource.prlimit(pid, resource.RLIMIT_CPU, (most_s, most_s))
    except ProcessLookupError:
        pass  # it has ended


def run(program, folder, limit_s):
    """How the test fails, None if it passes; and which of its cases it skips."""
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryFile() as output:
        environment = {**os.environ, "TEST_TMPDIR": scratch, "TEST_SRCDIR": folder, "GTEST_BREAK_ON_FAILURE": "0"}
        process = subprocess.Popen([os.path.join(folder, program)], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=output, start_new_session=True)  # fmt: skip
        _end_if_orphaned(process.pid, limit_s)
        why = _watch(process, output, limit_s)
        try:
            os.killpg(process.pid, signal.SIGKILL)  # and what it left behind
        except ProcessLookupError:
            pass
        status = process.wait()
        if why is None and status < 0:
            why = signal.Signals(-status).name
        output.seek(0)
        text = output.read().decode(errors="replace")
        if why is None and status > 0:
            why = next(_cases(text, "[  FAILED  ]"), f"exit status {status}")
        return why, set(_cases(text, "[  SKIPPED ]"))


def _cases(text, mark):
    """Those that have the mark in front of their names; a line that counts them has a number there."""
    for line in text.splitlines():
        if line.startswith(mark) and "." in (name := line.removeprefix(mark).split()[0].rstrip(",")):
            yield name
