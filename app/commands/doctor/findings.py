"""What a check is, what it finds, and what it is given to look at."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Literal

import sqlalchemy as sa

from app.db.embedded import DatabaseUnsuitable
from app.settings import Settings

Level = Literal["ok", "skipped", "warning", "wrong"]
MARKS: dict[Level, str] = {"ok": "✓", "skipped": "-", "warning": "!", "wrong": "✗"}
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 5_000
#: What stands in a report instead of a password or a key.
MASK = "***"


@dataclass(frozen=True)
class Finding:
    """One sentence, Chinese then English; where something is wrong it names the remedy."""

    level: Level
    text: str


def ok(text: str) -> Finding:
    return Finding("ok", text)


def warning(text: str) -> Finding:
    return Finding("warning", text)


def wrong(text: str) -> Finding:
    return Finding("wrong", text)


@dataclass
class Patient:
    """What is examined. ``url`` is the database once it was reached; ``current``: it is at this release's schema."""

    settings: Settings
    stack: ExitStack
    host: str = "127.0.0.1"
    port: int | None = None
    workers: int = 1
    url: sa.URL | None = None
    current: bool = False

    @contextmanager
    def connect(self, url: sa.URL | None = None, *, pooled: bool = False) -> Iterator[sa.Connection]:
        """A connection to the database (or to another) that only reads and does not wait for long."""
        asked: dict[str, str | int | None] = {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "application_name": "innomap doctor",
        }
        if pooled:
            # a pooler refuses what a connection asks for at its start
            asked["prepare_threshold"] = None
        else:
            asked["options"] = f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_TIMEOUT_MS}"
        address = url or self.url
        if address is None:
            raise DatabaseUnsuitable("没有数据库。 There is no database.")
        engine = sa.create_engine(address, poolclass=sa.NullPool, connect_args=asked, hide_parameters=True)
        with engine.connect() as opened:
            yield opened


Look = Callable[[Patient], Iterable[Finding]]


@dataclass(frozen=True)
class Check:
    """One thing that is looked at, within so many seconds; some need a database, or one at this release's schema."""

    name: str
    title: str
    look: Look
    needs: Literal["nothing", "database", "schema"] = "nothing"
    seconds: float = 15


def examine(check: Check, patient: Patient) -> list[Finding]:
    """What a check finds; one that fails, or takes too long, is a finding itself, and the others go on."""
    if check.needs != "nothing" and patient.url is None:
        return [Finding("skipped", "没有可用的数据库，未检查。 Not looked at: there is no database to ask.")]
    if check.needs == "schema" and not patient.current:
        return [Finding("skipped", "结构不是本版本的，未检查。 Not looked at: the schema is not this release's.")]
    found: list[Finding] = []
    # a system call that hangs cannot be ended; the thread does not keep the program
    thread = Thread(target=_look, args=(check, patient, found), daemon=True)
    thread.start()
    thread.join(check.seconds)
    findings = list(found)
    if thread.is_alive():
        findings.append(wrong(f"{check.seconds:g} 秒内没有结果。 No result within {check.seconds:g} seconds."))
    return [Finding(one.level, _masked(one.text, patient.settings)) for one in findings]


def _look(check: Check, patient: Patient, findings: list[Finding]) -> None:
    try:
        findings.extend(check.look(patient))
    except DatabaseUnsuitable as error:
        findings.append(wrong(str(error)))
    except Exception as error:
        reason = f"{type(error).__name__}: {first_line(error)}"
        findings.append(wrong(f"检查未能完成（{reason}）。 The check could not be finished ({reason})."))


def first_line(error: BaseException) -> str:
    """What an error says in short; of the driver's, without statement and values."""
    said = getattr(error, "orig", None) or error
    return str(said).strip().partition("\n")[0]


def _masked(text: str, settings: Settings) -> str:
    """A text in which no password and no key of the settings stands, whatever wrote it."""
    for secret in sorted(_secrets(settings), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _secrets(settings: Settings) -> Iterator[str]:
    addresses = [settings.database_url, settings.database_pool_url, *settings.database_replica_urls]
    for address in filter(None, addresses):
        try:
            url = sa.make_url(address.get_secret_value())
        except (sa.exc.ArgumentError, ValueError):
            # it is no address: nobody knows which part of it is a password
            yield address.get_secret_value()
            continue
        yield from (one for one in (url.password, url.query.get("password")) if isinstance(one, str) and one)
    if settings.tianditu_key:
        yield settings.tianditu_key.get_secret_value()
