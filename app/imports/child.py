"""The process that reads a file from outside: confined in memory and time, and it writes only if told so at the end.

It takes a job as JSON in the first line of its input, and tells of its progress, its report or its failure in lines of
JSON. Before it commits it waits for the line ``commit``: whoever started it and is gone cannot say so, and nothing has
changed then.
"""

import json
import os
import resource
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa

from app.catalog.imported import Definition
from app.imports.errors import Unreadable
from app.imports.job import Job
from app.imports.limits import Limits

COMMIT = "commit"
#: Seconds of grace between the limit of CPU time that warns and the one that kills.
GRACE = 5


def confine(limits: Limits) -> None:
    """Set the limits of this process: data in memory, time of its CPU, no core file."""
    resource.setrlimit(resource.RLIMIT_DATA, (limits.memory, limits.memory))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds + GRACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def job_of(told: dict[str, Any]) -> Job:
    """A job from its JSON."""
    limits = Limits(**{**told["limits"], "area": tuple(told["limits"]["area"])})
    definition = told["definition"] and Definition.model_validate(told["definition"])
    return Job(**{**told, "path": Path(told["path"]), "limits": limits, "definition": definition})


def told(job: Job) -> dict[str, Any]:
    """A job as JSON."""
    made = {one.name: getattr(job, one.name) for one in fields(job)}
    definition = job.definition and job.definition.model_dump(mode="json")
    return {**made, "path": str(job.path), "limits": job.limits.as_dict(), "definition": definition}


def main(given: TextIO, out: TextIO) -> int:
    """Do the job; the exit status is 0 unless the file was refused or something broke."""
    # here, for who starts this process reads no file itself
    from app.imports.run import run

    def tell(**message: Any) -> None:
        out.write(json.dumps(message, ensure_ascii=False) + "\n")
        out.flush()

    job = job_of(json.loads(given.readline()))
    confine(job.limits)
    engine = sa.create_engine(
        os.environ["INNOMAP_IMPORT_DATABASE"],
        poolclass=sa.NullPool,
        connect_args={"application_name": "innomap import", "options": "-c timezone=UTC -c jit=off"},
    )
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            report = run(connection, job, lambda doing, count, total: tell(doing=doing, rows=count, total=total))
            tell(report=report.as_dict())
            if job.apply and given.readline().strip() == COMMIT:
                transaction.commit()
                tell(done=True)
            else:
                transaction.rollback()
    except Unreadable as error:
        tell(error=str(error))
        return 1
    except MemoryError:
        tell(error=_too_large(job.limits))
        return 1
    return 0


def _too_large(limits: Limits) -> str:
    most = f"{limits.memory >> 20} MiB"
    return f"读取该文件所需内存超过 {most}。 Reading the file takes more than {most} of memory."


if __name__ == "__main__":
    # what libraries print is not part of what is told
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.exit(main(sys.stdin, channel))
