"""What is measured over: the repository's data, made-up enterprises as an imported layer, and both as plain tables.

The peers read the plain tables of the schema ``peer``: made from the service's own rows, so that every answer can be
compared, with a primary key and a spatial index.
"""

import asyncio
import csv
import random
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from app.catalog import BUILT_IN, Collection
from app.catalog.imported import Definition, collection
from app.db.migrate import upgrade
from app.imports import confined
from app.imports.job import Job
from app.imports.limits import limits
from app.ingest.load import load
from app.queries import ready, ready_tiles
from app.queries.imported import Imported
from app.settings import ROOT, Settings

SEED = 20250101
#: West, south, east, north of the prefecture.
BOX = (120.3, 30.35, 121.3, 31.0)
TRADES = ("高端装备制造", "新一代信息技术", "新材料", "新能源", "生命健康", "现代物流", "纺织服装", "时尚家居")
SCHEMA = "peer"


def layer(count: int) -> str:
    """The id of the layer of so many enterprises."""
    return f"enterprises_{count}"


def definition(count: int) -> Definition:
    return Definition.model_validate(
        {
            "id": layer(count), "title": "企业", "title_en": "Enterprises", "source": "made up", "licence": "CC0",
            "geometry": "Point", "geometry_method": "point", "accuracy_m": 50, "key": "code", "name": "name",
            "crs": "EPSG:4326",
            "fields": [
                {"name": "trade", "title": "行业", "title_en": "Trade"},
                {"name": "address_line", "title": "地址", "title_en": "Address"},
                {"name": "staff", "title": "人数", "title_en": "Staff", "type": "integer"},
                {"name": "turnover", "title": "营业收入", "title_en": "Turnover", "type": "number", "unit": "万元"},
                {"name": "founded", "title": "成立日期", "title_en": "Founded", "type": "date"},
            ],
        }
    )  # fmt: skip


def _write(path: Path, count: int) -> None:
    chance = random.Random(SEED)  # noqa: S311 - made-up points
    west, south, east, north = BOX
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "name", "trade", "address_line", "staff", "turnover", "founded", "lon", "lat"])
        for number in range(count):
            lon, lat = chance.uniform(west, east), chance.uniform(south, north)
            writer.writerow(
                [f"e-{number:07}", f"嘉兴测试企业{number}有限公司", chance.choice(TRADES),
                 f"示例路{chance.randrange(1, 2000)}号{chance.randrange(1, 30)}幢", chance.randrange(1, 3000),
                 f"{chance.uniform(10, 90000):.2f}", f"20{number % 25:02}-0{number % 9 + 1}-15",
                 f"{lon:.7f}", f"{lat:.7f}"]
            )  # fmt: skip


@cache
def described(name: str) -> Collection:
    """A collection of the program, or a layer of enterprises."""
    return BUILT_IN[name] if name in BUILT_IN else collection(definition(int(name.rpartition("_")[2])))


def prepare(url: sa.URL, folder: Path, counts: tuple[int, ...]) -> None:
    """Migrate, load, import and copy whatever is not there yet."""
    settings = Settings()
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        upgrade(connection)
        load(connection, ROOT / "geodata", settings.county_outlines)
        connection.rollback()
    for count in counts:
        with engine.connect() as connection:
            there = _is_there(connection, f"imported_{layer(count)}")
        if not there:
            path = folder / f"{layer(count)}.csv"
            _write(path, count)
            job = Job(path, path.name, layer(count), definition(count), {}, limits(settings), "benchmark", apply=True)
            report = confined.run(job, url)
            print(f"imported {report['changes']} ({layer(count)})", flush=True)
            path.unlink()
    _copy(engine, ("platforms", "counties", *map(layer, counts)))
    asyncio.run(_made_ready(url))


async def _made_ready(url: sa.URL) -> None:
    """What the service does by itself in the minute after an import, done before anything is measured."""
    engine = create_async_engine(url, poolclass=sa.NullPool)
    await ready.refresh(engine, Imported())
    await ready_tiles.refresh(engine)
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(sa.text("VACUUM ANALYZE ready_feature, ready_tile"))
    await engine.dispose()


def _is_there(connection: sa.Connection, table: str) -> bool:
    return bool(connection.scalar(sa.text("SELECT to_regclass(:name) IS NOT NULL"), {"name": table}))


def _copy(engine: sa.Engine, names: tuple[str, ...]) -> None:
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    with autocommit.connect() as connection:
        connection.execute(sa.text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        for name in names:
            if _is_there(connection, f"{SCHEMA}.{name}"):
                continue
            of = described(name)
            rows = of.relation
            drawn = sa.func.ST_ForcePolygonCCW(rows.c.geometry).label("geom")
            query = sa.select(rows.c.id, *(rows.c[one.name] for one in of.fields), drawn)
            text = str(query.compile(engine, compile_kwargs={"literal_binds": True})).replace("%%", "%")
            driver = connection.connection.cursor()
            driver.execute(f"CREATE TABLE {SCHEMA}.{name} AS {text} ORDER BY id")  # type: ignore[arg-type]
            kind = f"geometry({'Point' if name.startswith('enterprises') else 'Geometry'}, 4326)"
            for statement in (
                f"ALTER TABLE {SCHEMA}.{name} ALTER geom TYPE {kind} USING geom::{kind}",
                f"ALTER TABLE {SCHEMA}.{name} ADD PRIMARY KEY (id)",
                f"CREATE INDEX ON {SCHEMA}.{name} USING gist (geom)",
            ):
                connection.execute(sa.text(statement))
        connection.execute(sa.text("VACUUM ANALYZE"))
