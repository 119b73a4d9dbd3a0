"""What a writing request says beside its address: body, reference system, condition, reason."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app import crs as reference_systems
from app.api.body import received
from app.api.problems import Problem
from app.crs import CRS84, Crs, UnknownCrs
from app.edits.keys import Key
from app.edits.layer import Edit
from app.edits.write import Condition
from app.filters import FilterError
from app.filters.guard import load_json, walk

#: What CREATE and REPLACE take, and what UPDATE takes.
FEATURE_TYPES = ("application/geo+json", "application/json")
PATCH_TYPES = ("application/merge-patch+json",)
LONGEST_REASON = 500
_TAG = re.compile(r'(?:W/)?"([^"]*)"')

Feature = Mapping[str, Any]


async def feature_of(request: Request) -> Feature:
    """The GeoJSON Feature of a body."""
    feature = await _object(request, FEATURE_TYPES, "Accept-Post")
    if feature.get("type") != "Feature":
        raise Problem(400, "须为 GeoJSON Feature。 Must be a GeoJSON Feature.", parameter="type", allowed=["Feature"])
    for name in ("geometry", "properties"):
        if name not in feature:
            raise Problem(400, "必须给出，可为 null。 Is required; may be null.", parameter=name)
    return feature


async def patch_of(request: Request) -> Feature:
    """The JSON Merge Patch of a body."""
    patch = await _object(request, PATCH_TYPES, "Accept-Patch")
    for name in patch:
        if name not in ("id", "type", "geometry", "properties"):
            raise Problem(
                400, f"不可修改 {name[:100]!r}。 {name[:100]!r} cannot be changed.", parameter=name[:100],
                allowed=["geometry", "properties"],
            )  # fmt: skip
    if patch.get("type", "Feature") != "Feature":
        raise Problem(400, "须为 Feature。 Must stay a Feature.", parameter="type", allowed=["Feature"])
    if not isinstance(patch.get("properties", {}), dict):
        raise Problem(400, "须为对象。 Must be an object.", parameter="properties")
    return patch


async def _object(request: Request, types: tuple[str, ...], header: str) -> Feature:
    accepted = {header: ", ".join(types)}
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not given:
        # /req/create-replace-delete/post-content-type, put-content-type, /req/update/patch-content-type
        raise Problem(400, "必须给出。 Is required.", parameter="Content-Type", allowed=types, headers=accepted)
    if given not in types:
        raise Problem(
            415, f"须为 {' 或 '.join(types)}。 Must be {' or '.join(types)}.", parameter="Content-Type", allowed=types,
            headers=accepted,
        )  # fmt: skip
    # a large one takes up to half a second: not in the loop that serves everybody
    value = await run_in_threadpool(_read, await received(request))
    if not isinstance(value, dict):
        raise Problem(400, "须为 JSON 对象。 Must be a JSON object.", parameter="body")
    return value


def _read(text: str) -> Any:
    try:
        # exact: a figure of the plan comes back as it was
        value = load_json(text, parse_float=Decimal)
        walk(value)
    except FilterError as error:
        raise Problem(400, str(error), parameter="body") from None
    return value


def condition_of(request: Request) -> Condition | None:
    """What If-Match asks; the version stands first in a mark, and it alone is compared.

    A mark that went through a compressing proxy may have become a weak one; the version in it says as much as before.
    """
    text = request.headers.get("if-match")
    if text is None:
        return None
    if text.strip() == "*":
        return Condition(None)
    versions = [mark.partition(".")[0] for mark in _TAG.findall(text)]
    return Condition(frozenset(int(one) for one in versions if re.fullmatch("[0-9]{1,18}", one)))


def edit_of(request: Request, key: Key, body: Feature | None = None, *, creates: bool = False) -> Edit:
    """Who writes, why, in which reference system, and whether without looking at what is there."""
    unconditional = key.allow_unconditional and "if-match" not in request.headers and not creates
    area = request.app.state.settings.edit_area
    return Edit(key.name, _reason(request), unconditional, crs=_crs(request, body or {}), area=area)


def _reason(request: Request) -> str | None:
    """``Innomap-Reason``: UTF-8, or percent-encoded where a client sends no other than ASCII."""
    text = request.headers.get("innomap-reason")
    if text is None:
        return None
    try:
        reason = unquote(text.encode("latin-1").decode("utf-8"), errors="strict").strip()
    except UnicodeDecodeError:
        raise Problem(400, "须为 UTF-8。 Must be UTF-8.", parameter="Innomap-Reason") from None
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Problem(
            400, f"至多 {LONGEST_REASON} 个可见字符。 At most {LONGEST_REASON} printable characters.",
            parameter="Innomap-Reason",
        )  # fmt: skip
    return reason or None


def _crs(request: Request, body: Feature) -> Crs:
    """``Content-Crs``, in angle brackets or bare as QGIS sends it; else the ``crs`` member that this service writes."""
    # /req/features/content-crs-header, default-crs, crs-other-crs
    header = request.headers.get("content-crs")
    named = [] if header is None else [_find(header.strip().removeprefix("<").removesuffix(">"), "Content-Crs")]
    member = body.get("crs")
    if member is not None:
        name = member.get("properties", {}).get("name") if isinstance(member, dict) else None
        named.append(_find(name if isinstance(name, str) else str(member)[:100], "crs"))
    if len(set(named)) > 1:
        raise Problem(400, "与 Content-Crs 不一致。 Differs from Content-Crs.", parameter="crs")
    return named[0] if named else CRS84


def _find(text: str, parameter: str) -> Crs:
    try:
        return reference_systems.find(text)
    except UnknownCrs as error:
        raise Problem(400, str(error), parameter=parameter, allowed=error.allowed) from None
