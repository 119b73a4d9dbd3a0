"""Files to import, made here, and what an import makes of them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.catalog.imported import Definition
from app.imports.job import Job
from app.imports.limits import limits
from app.imports.run import run
from app.settings import Settings
from tests.conftest import connect

Report = dict[str, Any]
Import = Callable[..., Report]
STATIONS: Mapping[str, Any] = {
    "id": "stations",
    "title": "充电站",
    "title_en": "Charging stations",
    "source": "某局普查",
    "licence": "CC BY 4.0",
    "key": "code",
    "name": "名称",
    "fields": [
        {"name": "power_kw", "title": "功率", "title_en": "Power", "type": "number", "unit": "kW", "column": "功率"},
        {"name": "operator", "title": "运营", "title_en": "Operator", "column": "运营"},
    ],
}


def definition(**changes: Any) -> Definition:
    return Definition.model_validate({**STATIONS, **changes})


def job(path: Path, **given: Any) -> Job:
    layer = given.pop("layer", None) or definition()
    named = layer if isinstance(layer, str) else layer.id
    settings = given.pop("settings", None) or Settings()
    return Job(
        path=path, file=path.name, layer=named, definition=None if isinstance(layer, str) else layer,
        mapping=given.pop("mapping", {}), limits=limits(settings), who="steward", **given,
    )  # fmt: skip


@pytest.fixture
def importing(database_url: sa.URL) -> Import:
    """A function that imports a file into this test's database, in this process, and gives the report."""

    def importing(path: Path, **given: Any) -> Report:
        doing = job(path, **given)
        with connect(database_url).connect() as connection:
            report = run(connection, doing, lambda *told: None)
            if doing.apply:
                connection.commit()
        return report.as_dict()

    return importing
