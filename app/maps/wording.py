"""Words for numbers in both languages: units, themes, times, and the sign that keeps a printed bound."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.queries.thematic import Time

#: Chinese, English.
Both = tuple[str, str]

#: In English things are counted without a measure word.
_COUNTED = ("家", "个", "项", "件", "款", "条", "所", "场", "次", "篇")
_UNITS: dict[str, Both] = {
    **{one: (one, "") for one in _COUNTED},
    **{f"{one}/年": (f"{one}/年", "a year") for one in _COUNTED},
    "%": ("%", "%"),
    "% yoy": ("%（同比）", "% on the year before"),
    "%/a": ("%/年", "% a year"),
    "人": ("人", "people"),
    "人/年": ("人/年", "people a year"),
    "人次": ("人次", "attendances"),
    "人年": ("人年", "person-years"),
    "人/万人": ("人/万人", "per 10,000 people"),
    "人年/万人": ("人年/万人", "person-years per 10,000"),
    "件/万人": ("件/万人", "per 10,000 people"),
    "万元": ("万元", "× 10,000 yuan"),
    "万元/人": ("万元/人", "× 10,000 yuan a head"),
    "万元/亩": ("万元/亩", "× 10,000 yuan a mu"),
    "亿元": ("亿元", "× 100 million yuan"),
    "亿元/年": ("亿元/年", "× 100 million yuan a year"),
    "亩": ("亩", "mu"),
    "万亩": ("万亩", "× 10,000 mu"),
    "万平方米": ("万平方米", "× 10,000 m²"),
    "百分点": ("百分点", "pp"),
    "工作日": ("工作日", "working days"),
    "倍": ("倍", "times"),
    "位": ("位", "(rank)"),
}
_THEMES: dict[str, Both] = {
    "agriculture": ("农业", "Agriculture"), "carrier": ("创新载体", "Carriers"),
    "cooperation": ("合作", "Cooperation"), "economy": ("经济", "Economy"),
    "enterprise": ("企业", "Enterprises"), "finance": ("金融", "Finance"), "health": ("健康", "Health"),
    "industry": ("产业", "Industry"), "input": ("投入", "Input"), "output": ("产出", "Output"),
    "park": ("园区", "Parks"), "platform": ("平台", "Platforms"), "rank": ("排名", "Ranks"),
    "reform": ("改革", "Reform"), "service": ("服务", "Services"), "talent": ("人才", "Talent"),
}  # fmt: skip
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "approx": "≈"}
KINDS: dict[str, Both] = {"actual": ("实际", "actual"), "flash": ("快报", "flash figure"), "target": ("目标", "target")}


def unit(code: str) -> Both:
    """A normalised unit as it is written after a number; one unknown here stands as it is stored."""
    return _UNITS.get(code, (code, code))


def unit_of_change(code: str) -> Both:
    """The unit of a difference: shares differ by percentage points."""
    return unit("百分点" if code.startswith("%") else code)


def spelt(text: str) -> str:
    """A unit for a title, without an abbreviation."""
    return "percentage points" if text == "pp" else text


def is_ratio(code: str) -> bool:
    """Whether a region's value compares with that of the whole it is a part of, as a share or a density does."""
    return code.startswith("%") or ("/" in code and not code.endswith("/年"))


def theme(code: str) -> Both:
    return _THEMES.get(code, (code, code))


def time(one: Time) -> Both:
    """``2020年实际``, ``target for 2025``; a sum has the years it runs over."""
    years = one.years.replace("-", "–")
    zh, en = KINDS[one.kind]
    return f"{years}年{zh}", f"{en} {'for' if one.kind == 'target' else 'of'} {years}"


def number(value: Decimal | float) -> str:
    """A number as people write it: no trailing zeros, thousands apart from 10,000, a true minus."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    text = f"{exact:,f}" if abs(exact) >= 10_000 else f"{exact:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−") if text != "-0" else "0"


def with_sign(row: Mapping[str, Any]) -> str:
    """The number of a printed value with the bound that the text sets to it, ``≥3.75``."""
    return _SIGNS.get(row["operator"], "") + number(row["value"])


def after(text: str, unit: str) -> str:
    """A number and its unit."""
    return f"{text}{'' if unit.startswith('%') or not unit else ' '}{unit}"


def say(both: Both, lang: str) -> str:
    return both[1] if lang == "en" else both[0]
