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
#: Largest definition, in bytes.
LARGEST = 256 << 10


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


def definition_of(text: str | bytes) -> Definition:
    """A definition from YAML. Raises ``Unreadable`` with the first fault."""
    if len(text) > LARGEST:
        raise Unreadable("图层定义过长。 The definition is too long.")
    try:
        # neither tags nor anchors: aliases of aliases grow without end
        if any(isinstance(one, yaml.AliasEvent) for one in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise Unreadable("图层定义不得用锚点。 The definition must not use aliases.")
        found: Any = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
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
