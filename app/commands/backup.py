"""``innomap backup`` and ``innomap restore``."""

import sys
from pathlib import Path

import click

from app.commands.common import connection, data_option, errors, unwritable
from app.db import backup as backups
from app.db.archive import BadArchive, Manifest
from app.db.server import database
from app.settings import get_settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def backup(file: Path) -> None:
    """备份整个数据库。 Write a backup of the whole database to FILE, while the service runs."""
    settings = get_settings()
    with errors(), database(settings) as url:
        with connection(settings):
            pass  # at this release's schema
        try:
            manifest = backups.backup(url, file)
        except OSError as error:
            raise unwritable(file, error) from None
    click.echo(f"已备份。 Backed up: {file} ({_told(manifest)})")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="不再询问。 Do not ask.")
@data_option
def restore(file: Path, yes: bool) -> None:
    """从备份恢复，取代现有全部数据。 Replace everything in the database by the backup FILE."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("须加 --yes。 Add --yes: all that is in the database is replaced.")
        click.confirm("将取代数据库中的全部数据，继续？ Replace everything in the database?", abort=True)
    with errors(), database(get_settings()) as url:
        try:
            manifest = backups.restore(url, file)
        except (BadArchive, backups.RestoreFailed, OSError) as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"已恢复。 Restored: {_told(manifest)}")


def _told(manifest: Manifest) -> str:
    rows = sum(manifest["counts"].values())
    return f"{manifest['created']}, release {manifest['release']}, schema {manifest['revision']}, {rows} rows"
