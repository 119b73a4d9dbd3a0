"""Imports in a process of their own, so that a hostile file can take down nothing else."""

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from sqlalchemy import URL

from app.imports import child
from app.imports.child import COMMIT
from app.imports.errors import Unreadable
from app.imports.job import Job, Progress

#: Lines of a child's complaints that are kept.
COMPLAINTS = 4000


def run(job: Job, url: URL, progress: Progress = lambda doing, count, total: None) -> dict[str, Any]:
    """Do an import and give its report. Raises ``Unreadable`` where the file is refused or takes too much.

    Where the process that calls this ends, so does the import, and nothing has changed.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GDAL_", "OGR_"))},
        "INNOMAP_IMPORT_DATABASE": url.render_as_string(hide_password=False),
        # one thread: more would each take memory of their own
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "GDAL_DISABLE_READDIR_ON_OPEN": "FALSE",
    }
    with subprocess.Popen(  # noqa: S603 - our own module, nothing of the request among its arguments
        [sys.executable, "-m", child.__name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, text=True, encoding="utf-8",
    ) as process:  # fmt: skip
        # a wall clock beside that of the CPU: a process may as well wait for ever
        timer = threading.Timer(job.limits.seconds, process.kill)
        timer.start()
        complaints: list[str] = []
        listener = threading.Thread(target=_collect, args=(process.stderr, complaints), daemon=True)
        listener.start()
        try:
            return _talk(process, job, progress, complaints)
        finally:
            timer.cancel()
            process.kill()
            listener.join()


def _talk(process: subprocess.Popen[str], job: Job, progress: Progress, complaints: list[str]) -> dict[str, Any]:
    told, said = process.stdin, process.stdout
    if told is None or said is None:
        raise RuntimeError("the process has no pipes")
    report: dict[str, Any] | None = None
    try:
        told.write(json.dumps(child.told(job), ensure_ascii=False) + "\n")
        told.flush()
        for line in said:
            message = json.loads(line)
            if "error" in message:
                raise Unreadable(message["error"])
            if "doing" in message:
                progress(message["doing"], message["rows"], message["total"])
            if "report" in message:
                report = message["report"]
                if not job.apply:
                    return report
                told.write(f"{COMMIT}\n")
                told.flush()
            if "done" in message and report is not None:
                return report
    except BrokenPipeError:
        pass
    raise _why(process.wait(), job, complaints)


def _collect(stream: Any, into: list[str]) -> None:
    for line in stream:
        into.append(line)
        del into[:-COMPLAINTS]


def _why(status: int, job: Job, complaints: list[str]) -> Unreadable:
    """Why a process ended without a report."""
    text = "".join(complaints)
    limits = job.limits
    if status in (-signal.SIGKILL, -signal.SIGXCPU):
        told = (
            f"导入超过 {limits.seconds} 秒的时限。 The import took longer than its limit of {limits.seconds} seconds."
        )
        return Unreadable(told, "time")
    if "MemoryError" in text or "bad_alloc" in text or "llocat" in text or status in (-signal.SIGABRT, -signal.SIGSEGV):
        most = f"{limits.memory >> 20} MiB"
        told = f"读取该文件所需内存超过 {most}。 Reading the file takes more than {most} of memory."
        return Unreadable(told, "memory")
    last = text.strip().splitlines()[-1][:300] if text.strip() else f"{status}"
    return Unreadable(
        f"导入中断，什么也没有改变（{last}）。 The import broke off, nothing has changed ({last}).", "broken"
    )
