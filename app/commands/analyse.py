"""``innomap analyse``: points by region over more rows than one would put into the database, on one machine or many."""

import asyncio
import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import URL
from sqlalchemy.exc import ProgrammingError

from app.commands.common import OTHER_SCHEMA, data_option, errors, replace_file
from app.db.server import database
from app.settings import Settings, get_settings

FORMATS = (".csv", ".json", ".parquet")
NOT_INSTALLED = (
    "须先安装 dask：pip install 'dask[dataframe]' distributed dask-geopandas（可选项 [analyse]）。"
    " Dask is not installed: pip install 'dask[dataframe]' distributed dask-geopandas (the extra [analyse])."
)
NOWHERE = ("不在任何地区", "In no region")


@click.command()
@click.argument("points", nargs=-1, required=True)
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help=f"要写的文件：{' '.join(FORMATS)}。 File to write; its ending is its format.",
)  # fmt: skip
@click.option(
    "--regions", type=click.Choice(["counties", "cities"]), default="counties", show_default=True,
    help="地区。 Regions to count by.",
)  # fmt: skip
@click.option(
    "--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True,
    help="本进程，或 Dask 的多个进程、多台机器。 This process, or the processes and machines of Dask.",
)  # fmt: skip
@click.option(
    "--scheduler", metavar="ADDRESS",
    help="Dask 调度器地址，如 tcp://host:8786；缺省为本机临时的。 A Dask scheduler; a passing one here unless given.",
)  # fmt: skip
@click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True,
    help="没有 --scheduler 时的进程数。 Processes, without --scheduler.",
)  # fmt: skip
@data_option
def analyse(points: tuple[str, ...], out: Path, regions: str, engine: str, scheduler: str | None, workers: int) -> None:
    """按地区统计 GeoParquet 中的点。 Count the points of GeoParquet files by region, with densities on land.

    POINTS are files or folders of them, which the workers can read under the same names.
    """
    if out.suffix.lower() not in FORMATS:
        raise click.BadParameter(f"{out}: {' '.join(FORMATS)}", param_hint="--out")
    if scheduler and engine != "dask":
        raise click.UsageError("--scheduler 须与 --engine dask 同用。 --scheduler goes with --engine dask.")
    try:
        # they take seconds to load, and belong to an extra
        import geopandas as gpd
        import shapely

        from app import analysis
    except ImportError:
        raise click.ClickException(NOT_INSTALLED) from None
    settings = get_settings()
    with errors(), database(settings) as url:
        try:
            rows, version = asyncio.run(_regions(url, settings, regions))
        except ProgrammingError:
            raise click.ClickException(OTHER_SCHEMA) from None
    outlines = gpd.GeoDataFrame(geometry=shapely.from_wkb([row["outline"] for row in rows]), crs="OGC:CRS84")
    try:
        with analysis.engine(engine, scheduler, workers):
            numbers = analysis.count(list(points), outlines)
    except (OSError, ValueError) as error:
        # pyarrow's errors are among these; Dask wraps what was wrong
        reason = (str(error.__cause__ or error).splitlines() or [type(error).__name__])[0]
        raise click.ClickException(f"无法统计。 Cannot count: {reason}") from None
    report = _report(rows, numbers, {"source": " ".join(points), "regions": regions, "data_version": version})
    replace_file(out, _encoded(report, out.suffix.lower()))
    click.echo(f"{out}: {report['total']} 点 points, {report['unassigned']} {NOWHERE[0]} {NOWHERE[1].lower()}")


async def _regions(url: URL, settings: Settings, name: str) -> tuple[list[dict[str, Any]], str]:
    """The regions by id, and the version of the data they were read from."""
    from app.catalog import COLLECTIONS
    from app.db.engine import reader, snapshot
    from app.queries.outlines import outlines
    from app.queries.versions import state

    engine = reader(url, settings)
    try:
        async with snapshot(engine) as connection:
            version = (await state(connection, COLLECTIONS[name].layers)).numbered
            return await outlines(connection, COLLECTIONS[name]), version
    finally:
        await engine.dispose()


def _report(rows: list[dict[str, Any]], numbers: list[int], about: dict[str, str]) -> dict[str, Any]:
    groups = [
        {
            "region": row["id"], "name": row["name"], "name_en": row["name_en"], "count": number,
            "land_area_km2": row["land_area_km2"],
            "per_km2": number / row["land_area_km2"] if row["land_area_km2"] else None,
        }
        for row, number in zip(rows, numbers, strict=False)
    ]  # fmt: skip
    return {**about, "total": sum(numbers), "unassigned": numbers[-1], "groups": groups}


def _encoded(report: dict[str, Any], ending: str) -> bytes:
    """A table has a line for what lies in no region, and on each line where it comes from."""
    import pandas as pd

    if ending == ".json":
        return (json.dumps(report, ensure_ascii=False, indent=2) + "\n").encode()
    table = pd.DataFrame(report["groups"])
    table.loc[len(table)] = ["", *NOWHERE, report["unassigned"], None, None]
    table = table.assign(source=report["source"], data_version=report["data_version"])
    return table.to_csv(index=False).encode() if ending == ".csv" else table.to_parquet(index=False)
