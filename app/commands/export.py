"""``innomap export``: a layer or a selection of it as a file that is whole or not there."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from sqlalchemy import URL
from sqlalchemy.exc import ProgrammingError

from app.commands.common import OTHER_SCHEMA, data_option, errors, sentence, unwritable
from app.db.server import database
from app.settings import Settings, get_settings

#: No limit but the disk's.
NO_LIMIT = 1 << 62
NAMED = {
    "within": "地点。 Place, such as 海宁市.",
    "crs": "坐标参考系。 Reference system, such as EPSG:4549.",
    "filter": "CQL2 过滤条件。 A filter in CQL2.",
    "properties": "只要这些属性。 Only these properties.",
}


def _named_options(command: click.decorators.FC) -> click.decorators.FC:
    for name, text in reversed(NAMED.items()):
        command = click.option(f"--{name}", help=text)(command)
    return command


@click.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path),
    help="要写的文件；缺省为当前文件夹中的 NAME。 File to write; NAME in this folder unless given.",
)  # fmt: skip
@_named_options
@click.option(
    "-p", "--parameter", "pairs", multiple=True, metavar="NAME=VALUE",
    help="其他查询参数，与 /exports/ 相同，可重复。 Any other parameter of /exports/; may be given again.",
)  # fmt: skip
@data_option
def export(name: str, out: Path | None, pairs: tuple[str, ...], **named: str | None) -> None:
    """导出图层，如 platforms.gpkg。 Write a layer such as platforms.gpkg, and its checksum beside it.

    Formats: geojson geojsonl gpkg fgb parquet shp.zip kml csv xlsx.
    """
    # the web's modules take a second to load, which no other command should wait for
    from app.api.problems import Problem

    given = [(one, value) for one, value in named.items() if value is not None]
    for pair in pairs:
        parameter, equals, value = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r}: NAME=VALUE", param_hint="-p")
        given.append((parameter, value))
    settings = get_settings()
    target = out or Path(name)
    with errors(), database(settings) as url:
        try:
            with TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
                made = Path(beside) / name
                count = asyncio.run(_write(url, settings, given, made))
                digest = _publish(made, target)
        except Problem as error:
            raise click.ClickException(sentence(error)) from None
        except ProgrammingError:
            raise click.ClickException(OTHER_SCHEMA) from None
        except OSError as error:
            raise unwritable(target, error) from None
    click.echo(f"{target}: {count} 项 items, sha256 {digest}")


async def _write(url: URL, settings: Settings, given: list[tuple[str, str]], made: Path) -> int:
    """Write the file into a folder of its own; its name says what is asked for. Gives the number of items."""
    from app.api import exports as asking
    from app.db.engine import reader, snapshot
    from app.queries import exports
    from app.queries.counts import count

    wanted = asking.asked(made.name, given)
    # a whole layer may take longer than a request may
    engine = reader(url, settings.model_copy(update={"statement_timeout_ms": 0}))
    try:
        async with snapshot(engine) as connection:
            job = await asking.job(connection, wanted)
            total = await count(connection, job.selection)
            with click.progressbar(length=total, label=made.name, show_pos=True, file=sys.stderr) as bar:
                job = replace(job, progress=_towards(bar.update))
                await exports.write_file(connection, wanted.format, job, made, NO_LIMIT)
                bar.finish()
            return min(total, job.limit or total)
    finally:
        await engine.dispose()


def _towards(update: Callable[[int], None]) -> Callable[[int], None]:
    """Counts as the steps that a progress bar takes."""
    seen = 0

    def progress(count: int) -> None:
        nonlocal seen
        update(count - seen)
        seen = count

    return progress


def _publish(made: Path, target: Path) -> str:
    """Move the finished file to its place, and its checksum beside it; a sum never stands beside another's file."""
    from app.queries.exports import checksum

    digest = checksum(made).hex()
    summed, beside = target.with_name(f"{target.name}.sha256"), made.with_name("sum")
    beside.write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    summed.unlink(missing_ok=True)
    made.replace(target)
    beside.replace(summed)
    return digest
