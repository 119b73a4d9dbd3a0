"""What several commands share: the database they work with, and errors as sentences."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import Connection, NullPool, create_engine

from app.db.embedded import DatabaseUnsuitable
from app.db.migrate import SchemaTooNew, upgrade
from app.db.server import database
from app.ingest.load import DataFaults
from app.settings import Settings, get_settings

if TYPE_CHECKING:
    from app.api.problems import Problem

FAULTS_SHOWN = 100
#: Right values that an error names.
CHOICES_SHOWN = 20
OTHER_SCHEMA = (
    "数据库结构不是本版本的，请先运行 innomap load。"
    " The database is not at this release's schema: run innomap load first."
)


def data_option(command: click.decorators.FC) -> click.decorators.FC:
    """``--data``: the folder of the private database."""

    def chosen(context: click.Context, parameter: click.Parameter, value: Path | None) -> None:
        if value is not None:
            # web processes of their own read it from there too
            os.environ["INNOMAP_DATA_DIR"] = str(value.resolve())
            get_settings.cache_clear()

    folder = click.Path(file_okay=False, path_type=Path)
    return click.option(
        "--data", type=folder, callback=chosen, expose_value=False, is_eager=True,
        help="私有数据库所在文件夹。 Folder of the private database.",
    )(command)  # fmt: skip


@contextmanager
def errors() -> Iterator[None]:
    """Errors a user can mend, as sentences."""
    try:
        yield
    except DataFaults as error:
        for fault in error.faults[:FAULTS_SHOWN]:
            click.echo(str(fault), err=True)
        raise click.ClickException(str(error)) from None
    except (DatabaseUnsuitable, SchemaTooNew) as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def connection(settings: Settings) -> Iterator[Connection]:
    """A connection that may write, to a database at this release's schema."""
    with database(settings) as url:
        engine = create_engine(url, poolclass=NullPool, connect_args={"application_name": "innomap"})
        with engine.connect() as opened:
            if upgrade(opened):
                click.echo("已更新数据库结构。 The database schema is up to date now.")
            yield opened


def sentence(problem: "Problem") -> str:
    """A problem of the web's modules as one line: the rule, the parameter, and what would be right."""
    told = str(problem) + (f" [{problem.parameter}]" if problem.parameter else "")
    if not problem.allowed:
        return told
    more = " …" if len(problem.allowed) > CHOICES_SHOWN else ""
    return f"{told} 可用 one of: {' '.join(problem.allowed[:CHOICES_SHOWN])}{more}"


def unwritable(path: Path, error: OSError) -> click.ClickException:
    """What to say of a file that could not be written."""
    why = error.strerror or str(error)
    return click.ClickException(f"无法写入 {path}（{why}）。 Cannot write {path} ({why}).")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        beside.unlink(missing_ok=True)


def listener(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ClickException where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # by the protocol's number asyncio knows that answers are to leave at once (TCP_NODELAY)
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen()
    except OSError as error:
        made.close()
        raise click.ClickException(
            f"无法在 {host} 的端口 {port} 上监听（{error.strerror}）：请停止占用它的程序，或换一个 --port、--host。"
            f" Cannot listen on port {port} of {host} ({error.strerror}): stop what uses it, or choose another --port"
            f" or --host."
        ) from None
    made.set_inheritable(True)
    return made
