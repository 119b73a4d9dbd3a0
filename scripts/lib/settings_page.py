"""Writes docs/settings.md from app/settings.py: .venv/bin/python scripts/lib/settings_page.py > docs/settings.md"""

import inspect
import re
import typing
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.settings import ROOT, Settings, Unit

HEAD = """# 设置 · Settings

<!-- Made by scripts/lib/settings_page.py from app/settings.py; a test compares. -->

设置是环境变量，启动时读取一次；列表与多个数写作 JSON。写错的值使程序以一句话停下，写错的名称由
[`innomap doctor`](administration.md) 指出。
Settings are environment variables, read once at the start; lists and several numbers are JSON. A wrong value stops the
program with a sentence; a misspelt name is found by `innomap doctor`.

```sh
INNOMAP_POOL_SIZE=16 INNOMAP_TRUSTED_PROXIES='["10.0.0.0/8"]' scripts/serve
```
"""
TABLE = """| 名称 Name | 类型 Type | 缺省 Default | 单位 Unit | 含义 Meaning |
|---|---|---|---|---|
"""
TYPES = {
    int: "整数 whole number", float: "数 number", bool: "true | false", str: "文字 text", Path: "路径 path",
    SecretStr: "文字，保密 text, secret",
}  # fmt: skip
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def page() -> str:
    """The page as it should be."""
    parts = [HEAD]
    for concern in concerns():
        parts.append(f"\n## {inspect.getdoc(concern)}\n\n{TABLE}")
        parts += [row(name, Settings.model_fields[name]) for name in inspect.get_annotations(concern)]
    return "".join(parts)


def concerns() -> list[type[BaseModel]]:
    """The classes that settings are made of, in their order."""
    return [one for one in Settings.__bases__ if set(inspect.get_annotations(one)) & set(Settings.model_fields)]


def row(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    variable = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"INNOMAP_{name.upper()}"
    cells = [f"`{variable}`", kind(field), default(field), unit(field), meaning(field)]
    return f"| {' | '.join(one.replace('|', chr(92) + '|') for one in cells)} |\n"


def kind(field: FieldInfo) -> str:
    """Type and bounds."""
    held = [
        f"{sign} {getattr(one, bound):,}"
        for one in field.metadata
        for bound, sign in BOUNDS.items()
        if getattr(one, bound, None) is not None
    ]
    return ", ".join([of_type(field.annotation), *held])


def unit(field: FieldInfo) -> str:
    return "".join(one.name for one in field.metadata if isinstance(one, Unit))


def of_type(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin is list:
        return f"JSON 列表 list: {of_type(arguments[0])}"
    if origin is tuple:
        return f"JSON 列表 list: {len(arguments)} × {of_type(arguments[0])}"
    if arguments:
        return " | ".join(of_type(one) for one in arguments if one is not type(None))
    return TYPES.get(annotation, "JSON 对象 object")


def default(field: FieldInfo) -> str:
    value = field.get_default()
    if value is None or value == [] or value == "" or field.default_factory:
        return "—"
    if isinstance(value, Path):
        return f"`{value.relative_to(ROOT)}/`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return "`[" + ", ".join(f'"{one}"' if isinstance(one, str) else f"{one:g}" for one in value) + "]`"
    return f"`{value}`"


def meaning(field: FieldInfo) -> str:
    """What it says, with the names of other settings as they are written in the environment."""
    others = "|".join(sorted(Settings.model_fields, key=len, reverse=True))
    text = field.description or ""
    return re.sub(rf"(?<![\w`])({others})(?![\w`])", lambda one: f"`INNOMAP_{one[1].upper()}`", text)


if __name__ == "__main__":
    print(page(), end="")
