"""What is asked of an import: the file, the layer, and where in the file its things stand."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.catalog import BUILT_IN
from app.catalog.imported import Definition
from app.imports.errors import Unreadable
from app.imports.limits import Limits

#: What is being done, rows, and how many there are where that is known.
Progress = Callable[[str, int, int | None], None]
#: Of the definition, what ``--map`` may say too: parts of a row that are no fields.
PARTS = ("key", "name", "lon", "lat", "wkt", "address")
#: Largest definition, in bytes, and its lists within lists: one of a field's values is the fourth.
LARGEST, DEEPEST = 256 << 10, 16


@dataclass(frozen=True)
class Job:
    """One import. ``mapping`` gives the file's column of a part or property; ``constants`` values that it has not."""

    path: Path
    file: str
    layer: str
    definition: Definition | None
    mapping: Mapping[str, str]
    limits: Limits
    who: str
    constants: Mapping[str, str] = field(default_factory=dict)
    crs: str | None = None
    encoding: str | None = None
    table: str | None = None
    why: str | None = None
    apply: bool = False
    replace: bool = False


def _plain(text: str | bytes) -> None:
    """Neither aliases, which grow without end, nor tags nor depth, at which the library breaks."""
    depth = 0
    for one in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(one, yaml.AliasEvent) or getattr(one, "tag", None) is not None:
            raise Unreadable("图层定义不得用锚点与标签。 The definition must not use aliases or tags.")
        depth += isinstance(one, yaml.CollectionStartEvent) - isinstance(one, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Unreadable(f"图层定义嵌套超过 {DEEPEST} 层。 The definition is nested more than {DEEPEST} deep.")


def definition_of(text: str | bytes) -> Definition:
    """A definition from YAML. Raises ``Unreadable`` with the first fault."""
    if len(text) > LARGEST:
        raise Unreadable("图层定义过长。 The definition is too long.")
    try:
        _plain(text)
        found: Any = yaml.safe_load(text)
    except Unreadable:
        raise
    # dates and numbers that are none are bare errors of value
    except (yaml.YAMLError, ValueError) as error:
        said = str(error).replace("\n", " ")[:300]
        raise Unreadable(f"图层定义不是完好的 YAML（{said}）。 The definition is not sound YAML ({said}).") from None
    if not isinstance(found, dict):
        raise Unreadable("图层定义须为一组“名: 值”。 The definition must be a mapping.")
    try:
        made = Definition.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(one) for one in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise Unreadable(f"图层定义 {where}：{said}。 Definition, {where}: {said}.") from None
    if made.id in BUILT_IN:
        raise Unreadable(f"{made.id} 是本系统的图层，请用别名。 {made.id} is a layer of this program: use another id.")
    return made


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
