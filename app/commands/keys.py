"""``innomap keys``: who may write over HTTP."""

from datetime import datetime

import click

from app.commands.common import connection, data_option, errors
from app.edits import keys as book
from app.edits.layers import editable
from app.settings import get_settings


@click.group()
def keys() -> None:
    """管理密钥。 Make, list and revoke the keys that open layers for editing."""


@keys.command("create")
@click.argument("name")
@click.option(
    "--role", type=click.Choice(["reader", "editor", "admin"]), default="editor", show_default=True,
    help="reader 只读，editor 编辑指明的图层，admin 编辑全部。 What the key opens.",
)  # fmt: skip
@click.option(
    "--collection", "collections", multiple=True, help="editor 可编辑的图层，可多次给出。 A layer the editor may write."
)
@click.option(
    "--allow-unconditional", is_flag=True,
    help="可不带 If-Match 写入（QGIS 需要），并如此记录。 May write without If-Match, as QGIS does; it is recorded.",
)  # fmt: skip
@data_option
def create(name: str, role: book.Role, collections: tuple[str, ...], allow_unconditional: bool) -> None:
    """新建密钥，只显示这一次。 Make a key called NAME. It is shown this once."""
    with errors(), connection(get_settings()) as opened:
        with opened.begin():
            known = editable(opened)
            for one in collections:
                if one not in known:
                    raise click.BadParameter(f"{one!r}: {', '.join(known)}", param_hint="--collection")
            try:
                text = book.create(opened, name, role, collections, allow_unconditional=allow_unconditional)
            except ValueError as error:
                raise click.ClickException(str(error)) from None
        click.echo("请妥善保存，此后无法再看到。 Keep it well: it cannot be shown again.", err=True)
        click.echo(text)


@keys.command("list")
@data_option
def list_keys() -> None:
    """列出密钥（不含密钥本身）。 List the keys, without what is secret."""
    with errors(), connection(get_settings()) as opened:
        found = book.listing(opened)
    if not found:
        click.echo("没有密钥。 There are no keys.", err=True)
    for one in found:
        parts = [one.name, one.role, ",".join(one.collections) or "-"]
        parts.append("unconditional" if one.allow_unconditional else "If-Match")
        parts += [f"创建 created {_day(one.created)}", f"最近使用 last used {_day(one.last_used)}"]
        if one.revoked:
            parts.append(f"已作废 revoked {_day(one.revoked)}")
        click.echo("\t".join(parts))


@keys.command("revoke")
@click.argument("name")
@data_option
def revoke(name: str) -> None:
    """作废密钥，立即生效。 Revoke the key called NAME, at once and for good."""
    with errors(), connection(get_settings()) as opened, opened.begin():
        if not book.revoke(opened, name):
            raise click.ClickException(f"没有有效的密钥 {name!r}。 There is no open key {name!r}.")
    click.echo(f"已作废 {name}。 Revoked.")


def _day(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else "-"
