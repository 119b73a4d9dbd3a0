"""The settings: names that are misspelt, and values that contradict each other."""

import difflib
import os
from collections.abc import Iterator
from ipaddress import ip_network

from pydantic import AliasChoices

from app.commands.doctor.findings import Check, Finding, Patient, ok, warning, wrong
from app.settings import Settings

PREFIX = "INNOMAP_"
#: Read by compose.yaml and the proxy beside the service, not by the service.
OF_DEPLOYMENT = frozenset(
    ("INNOMAP_DB_PASSWORD", "INNOMAP_HOST", "INNOMAP_HTTP_PORT", "INNOMAP_HTTPS_PORT", "INNOMAP_UPSTREAM")
)


def names() -> set[str]:
    """Every variable that is a setting."""
    found = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        found |= {str(one) for one in alias.choices} if isinstance(alias, AliasChoices) else {PREFIX + name.upper()}
    return found


def environment(patient: Patient) -> Iterator[Finding]:
    """No variable is misspelt: one that nobody reads does nothing."""
    known = names()
    meant = [one for one in os.environ if one.upper().startswith(PREFIX)]
    unknown = [one for one in meant if one.upper() not in known | OF_DEPLOYMENT]
    for one in sorted(unknown):
        near = difflib.get_close_matches(one.upper(), known, n=1)
        hint = f"是否 {near[0]}？ Did you mean {near[0]}?" if near else "见 see docs/settings.md"
        yield warning(f"没有设置 {one}，它不起作用。 There is no setting {one}, which has no effect. {hint}")
    if not unknown:
        yield ok(f"变量都是设置。 Every variable is a setting: {len(meant)}.")


def contradictions(patient: Patient) -> Iterator[Finding]:
    """Values that cannot both hold, or of which one takes no effect."""
    found = [*_wrong(patient.settings), *map(warning, _idle(patient.settings))]
    yield from found or [ok("没有互相矛盾的值。 No values contradict each other.")]


def _wrong(settings: Settings) -> Iterator[Finding]:
    if not settings.geodata_dir.is_dir():
        yield wrong(f"INNOMAP_GEODATA_DIR：没有文件夹 {settings.geodata_dir}。 There is no such folder.")
    west, south, east, north = settings.edit_area
    if west >= east or south >= north:
        yield wrong("INNOMAP_EDIT_AREA：须为西、南、东、北。 It is west, south, east, north: nothing lies within it.")
    for name in ("trusted_proxies", "metrics_networks"):
        for one in getattr(settings, name):
            try:
                ip_network(one)
            except ValueError:
                yield wrong(
                    f"{PREFIX}{name.upper()}：{one!r} 不是网络，如 10.0.0.0/8。 is no network such as 10.0.0.0/8."
                )
    if settings.root_path and (not settings.root_path.startswith("/") or settings.root_path.endswith("/")):
        yield wrong("INNOMAP_ROOT_PATH：须以 / 开头，不以 / 结尾。 It begins with a slash, and ends without one.")


def _idle(settings: Settings) -> Iterator[str]:
    if settings.default_limit > settings.max_limit:
        yield (
            f"INNOMAP_DEFAULT_LIMIT {settings.default_limit} 大于 INNOMAP_MAX_LIMIT {settings.max_limit}，以后者为准。"
            f" The latter, being less, holds."
        )
    spare = settings.spare_connections
    for name in ("concurrent_exports", "concurrent_tiles"):
        if getattr(settings, name) > spare:
            yield (
                f"{PREFIX}{name.upper()} 是 {getattr(settings, name)}，但 INNOMAP_POOL_SIZE {settings.pool_size} 只容"
                f" {spare}：请调大"
                f" INNOMAP_POOL_SIZE。 A pool of {settings.pool_size} has room for {spare} of them: make it larger."
            )
    if settings.upload_max_mb > settings.import_max_unpacked_mb:
        yield (
            "INNOMAP_UPLOAD_MAX_MB 大于 INNOMAP_IMPORT_MAX_UNPACKED_MB。 The former, a file as it is sent, is larger"
            " than"
            " what may be unpacked."
        )
    if settings.slow_query_ms >= settings.statement_timeout_ms:
        yield (
            "INNOMAP_SLOW_QUERY_MS 不小于 INNOMAP_STATEMENT_TIMEOUT_MS：不会有带计划的慢语句。 No statement lives"
            " long enough to"
            " be logged with its plan."
        )
    if settings.database_url is None and (settings.database_pool_url or settings.database_replica_urls):
        yield (
            "有 DATABASE_POOL_URL 或 DATABASE_REPLICA_URLS，而没有 DATABASE_URL：它们须通向同一个数据库。 A pooler or"
            " replicas, and no DATABASE_URL: they must lead to the private database."
        )


CHECKS = (
    Check("environment", "环境变量 environment", environment),
    Check("settings", "设置 settings", contradictions),
)
