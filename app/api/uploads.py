"""Uploaded files to import: tried unless told otherwise, read in a process of their own, for keys that may write."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException

from app.api import params
from app.api.freshness import TOKEN
from app.api.keys import editor, unauthorised
from app.api.limits import MAX_BODY
from app.api.metrics import UPLOADS
from app.api.openapi_uploads import uploading
from app.api.problems import Problem
from app.api.turns import heavy
from app.catalog import COLLECTIONS
from app.catalog.imported import Definition
from app.db.engine import position
from app.imports import confined
from app.imports.errors import Unreadable
from app.imports.job import Job, definition_of
from app.imports.limits import limits

router = APIRouter(tags=["imports"])
#: Parts of the form that are texts.
TEXTS = ("layer", "definition", "map", "set", "crs", "encoding", "table", "why", "replace", "apply")
#: Those that may come several times.
SEVERAL = ("map", "set")
#: Bytes of a form beside its file.
BESIDE = 1 << 20
LONGEST_NAME = 200


@router.post("/imports", openapi_extra=uploading(), dependencies=[Depends(heavy("imports"))])
async def post_import(request: Request) -> Response:
    """导入文件。 Import a file (multipart form); only tried, unless ``apply`` is true. The answer is the report."""
    params.only(request, ())
    if request.state.key is None:
        # before the file is taken
        raise unauthorised("导入须有密钥（Authorization: Bearer …）。 Importing takes a key (Authorization: Bearer …).")
    settings = request.app.state.settings
    request.scope[MAX_BODY] = (settings.upload_max_mb << 20) + BESIDE
    async with _form(request) as form:
        texts = _texts(form)
        definition = _definition(texts)
        layer = definition.id if definition else _layer(texts)
        # a layer that is not there yet is nobody's: an admin may make it
        key = editor(request, layer)
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Problem(400, "须有文件。 A file is required.", parameter="file")
        with TemporaryDirectory(prefix="innomap-upload-") as folder:
            path = Path(folder) / "upload"
            await run_in_threadpool(_keep, file, path)
            job = Job(
                path=path, file=Path(file.filename or "upload").name[:LONGEST_NAME], layer=layer,
                definition=definition, mapping=_pairs(texts, "map"), constants=_pairs(texts, "set"),
                limits=limits(settings, uploaded=True), who=key.name, why=_text(texts, "why"), crs=_text(texts, "crs"),
                encoding=_text(texts, "encoding"), table=_text(texts, "table"), replace=_flag(texts, "replace"),
                apply=_flag(texts, "apply"),
            )  # fmt: skip
            try:
                report = await run_in_threadpool(confined.run, job, request.app.state.url)
            except Unreadable as error:
                UPLOADS.labels(error.reason).inc()
                raise Problem(400, str(error), parameter="file") from None
    UPLOADS.labels("applied" if report["applied"] else "tried").inc()
    made: dict[str, str] = {}
    if report["applied"]:
        async with request.app.state.writer.connect() as connection:
            made[TOKEN] = await position(connection)
    return JSONResponse(report, headers=made)


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise Problem(415, "须为 multipart/form-data。 Must be multipart/form-data.")
    try:
        async with request.form(max_files=2, max_fields=200, max_part_size=BESIDE) as form:
            yield form
    except MultiPartException as error:
        raise Problem(400, f"表单有误。 The form is wrong: {error.message}") from None


def _texts(form: FormData) -> dict[str, list[str]]:
    """The form's texts by name. Raises a 400 for a name that is none, or stands twice."""
    found: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if name == "file":
            continue
        if name not in TEXTS:
            raise Problem(400, f"没有参数 {name[:50]!r}。 No part {name[:50]!r}.", parameter=name[:50], allowed=TEXTS)
        if not isinstance(value, str):
            raise Problem(400, "须为文字。 Must be a text.", parameter=name)
        if name in found and name not in SEVERAL:
            raise Problem(400, "重复。 Given twice.", parameter=name)
        found.setdefault(name, []).append(value)
    return found


def _definition(texts: dict[str, list[str]]) -> Definition | None:
    text = _text(texts, "definition")
    if text is None:
        return None
    if "layer" in texts:
        raise Problem(400, "layer 与 definition 只能用其一。 Use layer or definition, not both.", parameter="layer")
    try:
        return definition_of(text)
    except Unreadable as error:
        raise Problem(400, str(error), parameter="definition") from None


def _layer(texts: dict[str, list[str]]) -> str:
    layer = _text(texts, "layer")
    if layer is None:
        raise Problem(400, "须指明图层，或给出定义。 A layer, or a definition, is required.", parameter="layer")
    described = params.collection(layer)
    if described.written_in != layer:
        there = [one.id for one in COLLECTIONS.values() if one.written_in == one.id]
        detail = f"{layer} 不可导入。 Nothing can be imported into {layer}."
        raise Problem(400, detail, parameter="layer", allowed=there)
    return layer


def _text(texts: dict[str, list[str]], name: str) -> str | None:
    return texts[name][0] if texts.get(name, [""])[0] else None


def _flag(texts: dict[str, list[str]], name: str) -> bool:
    given = {name: texts[name][0]} if name in texts else {}
    return params.choice(given, name, ("false", "true")) == "true"


def _pairs(texts: dict[str, list[str]], name: str) -> dict[str, str]:
    made: dict[str, str] = {}
    for pair in texts.get(name, []):
        left, equals, right = pair.partition("=")
        if not (equals and left and right) or left in made:
            raise Problem(400, f"{pair[:100]!r}: NAME=VALUE", parameter=name)
        made[left] = right
    return made


def _keep(file: UploadFile, path: Path) -> None:
    """Write an uploaded file to disk under a name of our own."""
    with path.open("xb") as target:
        shutil.copyfileobj(file.file, target)
