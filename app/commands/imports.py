"""``innomap import``: a file from outside, tried first and written only where told so."""

import getpass
import json
import re
import sys
from pathlib import Path
from typing import Any

import click

from app.commands.common import connection, data_option, errors
from app.db.server import database
from app.settings import get_settings

#: Anything else that ``--layer`` names is a file with a definition.
LAYER = re.compile(r"[a-z][a-z0-9_]*")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--layer", required=True,
    help="图层定义（YAML 文件），或已有图层的代号。 A layer's definition (YAML file), or the id of a layer there is.",
)  # fmt: skip
@click.option(
    "--map", "pairs", multiple=True, metavar="NAME=COLUMN",
    help="某字段（或 key、name、lon、lat、wkt、address）在文件中的列，可重复。"
    " Column of a field, or of key, name, lon, lat, wkt, address.",
)  # fmt: skip
@click.option(
    "--set", "values", multiple=True, metavar="NAME=VALUE",
    help="某字段各行相同的值，可重复。 Value of a field that is the same in all rows.",
)  # fmt: skip
@click.option("--crs", help="坐标系或基准，如 EPSG:4549、GCJ-02。 Reference system or datum.")
@click.option("--encoding", help="文字编码，缺省自动判断。 Encoding of the texts; found out unless given.")
@click.option("--table", help="文件中的图层或工作表。 Layer or sheet of the file.")
@click.option("--why", help="导入缘由，记入历史。 Reason, kept in the history.")
@click.option("--replace", is_flag=True, help="文件中没有的要素撤下。 Retire items that the file does not have.")
@click.option("--apply", is_flag=True, help="写入；缺省只试导并报告。 Write; without it the import is only tried.")
@click.option("--json", "as_json", is_flag=True, help="报告用 JSON。 The report as JSON.")
@data_option
def import_file(
    file: Path, layer: str, pairs: tuple[str, ...], values: tuple[str, ...], as_json: bool, **options: Any
) -> None:
    """导入文件。 Import GeoJSON, GeoPackage, Shapefile (zip), KML, CSV or XLSX into a layer.

    Tried first: the report says what was read, refused and why, and what would change. All or nothing with --apply.
    """
    # libraries for files take a second to load, which no other command should wait for
    from app.imports import confined, report
    from app.imports.errors import Unreadable
    from app.imports.job import Job, definition_of
    from app.imports.limits import limits

    settings = get_settings()
    with errors():
        try:
            definition = None if LAYER.fullmatch(layer) else definition_of(_definition_file(layer).read_bytes())
            named = definition.id if definition else layer
            job = Job(
                path=file.resolve(), file=file.name, layer=named, definition=definition, who=whoami(),
                mapping=pairs_of(pairs, "--map"), constants=pairs_of(values, "--set"), limits=limits(settings),
                **options,
            )  # fmt: skip
            with database(settings) as url:
                with connection(settings):
                    pass
                found = confined.run(job, url, _progress)
                click.echo(err=True)
        except Unreadable as error:
            raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for line in report.lines(found):
        click.echo(line)
    if not found["applied"]:
        click.echo("只是试导，什么也没有改变；写入请加 --apply。 Tried only, nothing has changed: --apply writes.")


def _progress(doing: str, count: int, total: int | None) -> None:
    """One line that is written over, for somebody who looks on."""
    if sys.stderr.isatty():
        of = f" / {total:,}" if total else ""
        click.echo(f"\r\x1b[K{doing}: {count:,}{of}", err=True, nl=False)


def _definition_file(name: str) -> Path:
    path = Path(name)
    if not path.is_file():
        raise click.BadParameter(f"没有文件 {name}。 No file {name}.", param_hint="--layer")
    return path


def pairs_of(pairs: tuple[str, ...], option: str) -> dict[str, str]:
    """``NAME=VALUE`` as a mapping."""
    made: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or not value or name in made:
            raise click.BadParameter(f"{pair!r}: NAME=VALUE", param_hint=option)
        made[name] = value
    return made


def whoami() -> str:
    """Who imports, for the history: the account at this machine."""
    return f"innomap import ({getpass.getuser()})"
