"""The command ``innomap``. An error is one line (for data faults: one a fault) and a non-zero exit."""

import asyncio
import importlib
import logging.config
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import uvicorn
from click.exceptions import NoArgsIsHelpError
from pydantic import ValidationError
from pydantic_settings import SettingsError
from sqlalchemy import URL, NullPool, create_engine
from sqlalchemy.exc import ProgrammingError
from uvicorn.supervisors import Multiprocess

from app.commands.analyse import analyse
from app.commands.backup import backup, restore
from app.commands.common import OTHER_SCHEMA as _OTHER_SCHEMA
from app.commands.common import connection as _connection
from app.commands.common import data_option as _data_option
from app.commands.common import errors as _errors
from app.commands.common import listener, replace_file, sentence
from app.commands.doctor import doctor
from app.commands.export import export
from app.commands.imports import import_file
from app.commands.keys import keys
from app.db.server import database
from app.ingest import checks
from app.ingest.load import Report, load_if_changed, read
from app.ingest.load import load as load_geodata
from app.logs import log_config
from app.settings import get_settings


class _WrongUse(click.ClickException):
    exit_code = 2


@contextmanager
def _in_one_line() -> Iterator[None]:
    """Say what is wrong with a command without its usage before it: that is what ``--help`` is for."""
    try:
        yield
    except NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        raise _WrongUse(error.format_message()) from None


class _Commands(click.Group):
    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with _in_one_line():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _in_one_line():
            return super().invoke(ctx)


@click.group(cls=_Commands)
@click.version_option(package_name="jiaxing-innovation-map")
def main() -> None:
    """嘉兴创新地图 Jiaxing Innovation Map."""
    try:
        settings = get_settings()
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise click.ClickException(f"设置有误，见 docs/settings.md。 The settings are wrong: {faults}") from None
    except SettingsError as error:
        # a list that is no JSON
        raise click.ClickException(f"设置有误，见 docs/settings.md。 The settings are wrong: {error}") from None
    logging.config.dictConfig(log_config(settings))


def _say(report: Report) -> None:
    changes = [
        f"{table} {name} {number}"
        for table, counter in report.changed.items()
        for name, number in counter.items()
        if number
    ]
    click.echo("；".join(changes) if changes else "没有变化。 Nothing changed.")
    for kept in report.kept:
        click.echo(kept)


main.add_command(analyse)
main.add_command(doctor)
main.add_command(export)
main.add_command(import_file)
main.add_command(keys)
main.add_command(backup)
main.add_command(restore)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。 Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="端口。 Port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="进程数。 Web processes.")
@_data_option
def serve(host: str, port: int, workers: int) -> None:
    """启动服务。 Prepare the database, load what changed, and serve in the foreground."""
    # the web's modules take a second to load, which no other command should wait for
    from app.api.metrics import shared
    from app.api.protocol import make_room, server_options

    settings = get_settings()
    make_room(settings)
    # a taken port is told before the database is touched, and who comes too early waits
    with _errors(), closing(listener(host, port)) as listening:
        click.echo("正在准备数据库…… Preparing the database …")
        if workers == 1:
            # while the database starts
            threading.Thread(target=importlib.import_module, args=("app.main",), daemon=True).start()
        with _connection(settings) as connection:
            report = load_if_changed(connection, settings.geodata_dir, settings.county_outlines)
            if report is not None:
                click.echo("已装入数据。 Data loaded.")
                _say(report)
            # held until the web processes hold it themselves
            threading.Thread(target=_announce, args=(host, port), daemon=True).start()
            config = uvicorn.Config("app.main:create_app", factory=True, workers=workers, **server_options(settings))
            with suppress(KeyboardInterrupt), shared(workers):
                if workers > 1:
                    Multiprocess(config, sockets=[listening]).run()
                else:
                    uvicorn.Server(config).run(sockets=[listening])


def _announce(host: str, port: int) -> None:
    """Print the addresses as soon as the service answers."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(f"{address}/livez", timeout=2):
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    click.echo(f"地图 Map:  {address}/maps/jiaxing")
    click.echo(f"主页 Home: {address}/")
    click.echo(f"接口 API:  {address}/collections")
    click.echo(f"文档 Docs: {address}/api.html")
    click.echo("按 Ctrl+C 停止。 Press Ctrl+C to stop.")


@main.command()
@click.option("--geodata", type=click.Path(exists=True, file_okay=False, path_type=Path), help="数据文件夹。 Folder.")
@_data_option
def load(geodata: Path | None) -> None:
    """校验并装入 geodata/。 Check the data files and load them, all or nothing."""
    settings = get_settings()
    folder = geodata or settings.geodata_dir
    with _errors():
        read(folder, settings.county_outlines)
        with _connection(settings) as connection:
            _say(load_geodata(connection, folder, settings.county_outlines))


@main.command("map")
@click.argument("name")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="要写的文件：.pdf、.svg 或 .png。 File to write; its ending is its format.",
)  # fmt: skip
@click.option("--size", type=click.Choice(["A4", "A3"]), default="A4", show_default=True, help="纸张。 Paper size.")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="语言。 Language.")
@click.option("--system", help="空间体系，一图有多个时选用。 Spatial system, where a map has several.")
@_data_option
def print_layout(name: str, out: Path, size: str, lang: str, system: str | None) -> None:
    """绘制可打印的布局图。 Draw a layout's map to print, such as jiaxing, haining or zhejiang."""
    # matplotlib and the web's modules take a second to load, which no other command should wait for
    from app.api.prints import MEDIA_TYPES, find_layout, read_layout
    from app.api.problems import Problem
    from app.db.engine import reader, snapshot
    from app.maps.paper import FontMissing
    from app.maps.print import print_map
    from app.queries.layouts import LayoutRows

    settings = get_settings()
    kind = next((one for one in MEDIA_TYPES if out.suffix.lower() == f".{one}"), None)
    if kind is None:
        raise click.BadParameter(f"{out}: .{', .'.join(MEDIA_TYPES)}", param_hint="--out")

    async def rows(url: URL) -> tuple[LayoutRows, str]:
        engine = reader(url, settings)
        try:
            async with snapshot(engine) as connection:
                return await read_layout(connection, await find_layout(connection, name, system))
        finally:
            await engine.dispose()

    with _errors(), database(settings) as url:
        try:
            content = print_map(*asyncio.run(rows(url)), size, lang).file(kind)
        except Problem as error:
            raise click.ClickException(sentence(error)) from None
        except FontMissing as error:
            raise click.ClickException(str(error)) from None
        except ProgrammingError:
            raise click.ClickException(_OTHER_SCHEMA) from None
    replace_file(out, content)


@main.command()
@click.option(
    "--plans", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="规划文本所在文件夹，用以核对引文。 Folder of the plans' texts, to compare quotations with.",
)  # fmt: skip
@click.option("--geodata", type=click.Path(exists=True, file_okay=False, path_type=Path), help="数据文件夹。 Folder.")
@_data_option
@click.pass_context
def check(context: click.Context, plans: Path | None, geodata: Path | None) -> None:
    """检查数据文件和数据库。 Verify the data files and the loaded database; exits with 1 when a check fails."""
    settings = get_settings()
    with _errors(), database(settings) as url:
        # as it is: a check migrates nothing
        engine = create_engine(url, poolclass=NullPool, connect_args={"application_name": "innomap"})
        try:
            with engine.connect() as connection:
                results = checks.run(connection, geodata or settings.geodata_dir, settings.county_outlines, plans)
        except ProgrammingError:
            raise click.ClickException(_OTHER_SCHEMA) from None
    for line in checks.report(results):
        click.echo(line)
    context.exit(any(result.failing for result in results))
