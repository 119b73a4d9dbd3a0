"""All settings, read once from the environment at start (prefix ``INNOMAP_``, and ``DATABASE_URL``)."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.base_maps import BaseMapSettings

ROOT = Path(__file__).resolve().parents[1]


def default_data_dir() -> Path:
    """Where the private database lives unless told otherwise.

    Root gets a system folder, because the database server then runs as an unprivileged user,
    who cannot reach anything below ``/root``; everybody else gets the XDG state folder.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/innomap")
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "innomap"


class Settings(BaseMapSettings, BaseSettings):
    """One object for the whole program; every field is an environment variable ``INNOMAP_<FIELD>``."""

    # an error that quoted its input would print keys and passwords
    model_config = SettingsConfigDict(env_prefix="INNOMAP_", extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "INNOMAP_DATABASE_URL"),
        description="PostGIS to use, for example postgresql://user@host/db; unset: a private cluster in data_dir",
    )
    database_pool_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_POOL_URL", "INNOMAP_DATABASE_POOL_URL"),
        description="the same database through a pooler in transaction mode, such as PgBouncer, for what requests ask",
    )
    database_replica_urls: list[SecretStr] = Field(
        default=[],
        validation_alias=AliasChoices("DATABASE_REPLICA_URLS", "INNOMAP_DATABASE_REPLICA_URLS"),
        description="hot standbys of the database that answer reads (JSON list of addresses like DATABASE_URL)",
    )
    data_dir: Path = Field(default_factory=default_data_dir, description="folder of the private PostgreSQL cluster")
    geodata_dir: Path = Field(default=ROOT / "geodata", description="the data files that `innomap load` reads")
    county_outlines: Literal["amap", "tianditu"] = Field(
        default="amap", description="source of the seven county outlines; neither is an approved map (审图号)"
    )
    trusted_proxies: list[str] = Field(
        default=["127.0.0.1/32", "::1/128"], description="networks whose X-Forwarded-* headers are believed (JSON list)"
    )
    root_path: str = Field(default="", description="path that a reverse proxy puts before every address, such as /map")
    metrics_networks: list[str] = Field(
        default=["127.0.0.1/32", "::1/128"], description="networks that may read /metrics (JSON list)"
    )
    log_format: Literal["text", "json"] = Field(default="text", description="lines for people, or JSON objects")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="least weight logged")
    log_requests: bool = Field(default=False, description="whether each request is logged, without address and query")
    slow_query_ms: int = Field(
        default=1_000, ge=0, description="statements that take longer are logged with their plan; 0 logs none"
    )
    statement_timeout_ms: int = Field(
        default=10_000, ge=100, description="longest time one database statement of a request may take"
    )
    pool_size: int = Field(default=8, ge=1, le=100, description="database connections each web process keeps")
    write_pool_size: int = Field(
        default=2, ge=1, le=100, description="database connections for edits, beside pool_size"
    )
    response_cache_mb: int = Field(
        default=64, ge=0, le=100_000, description="memory in MB that each web process keeps answers in; 0 keeps none"
    )
    concurrent_exports: int = Field(
        default=2,
        ge=1,
        le=100,
        description="downloads at once, of one client all but one; less than half of pool_size",
    )
    concurrent_tiles: int = Field(
        default=3,
        ge=1,
        le=100,
        description="vector tiles at once, of one client all but one; less than half of pool_size",
    )
    concurrent_prints: int = Field(default=1, ge=1, le=16, description="maps to print that are drawn at once")
    queue_length: int = Field(
        default=200, ge=0, description="requests of a kind (downloads, tiles, prints) that may wait for their turn"
    )
    queue_wait_s: float = Field(default=30, gt=0, description="longest time a request waits for its turn, in seconds")
    rate_per_second: float = Field(default=0, ge=0, description="requests a second that a client may make; 0: any")
    rate_burst: int = Field(default=100, ge=1, description="requests at once that rate_per_second lets through")
    max_body_bytes: int = Field(default=1_000_000, ge=1_000, description="largest body of a request, in bytes")
    max_url_bytes: int = Field(default=65_536, ge=1_000, description="longest address of a request, in bytes")
    max_connections: int = Field(default=2_000, ge=1, description="connections of clients open at once")
    request_timeout_s: float = Field(
        default=30,
        gt=0,
        description="time in which the head of a request, or 256 KiB of its body, must arrive, in seconds",
    )
    send_timeout_s: float = Field(
        default=60, gt=0, description="time in which a client must take 16 KiB of its answer, in seconds"
    )
    longest_answer_s: float = Field(
        default=3_600, gt=0, description="time after which an answer is cut off, a download too, in seconds"
    )
    public: bool = Field(default=True, description="data can be read without a key; if false, any key opens them")
    failed_keys_per_minute: int = Field(
        default=10, ge=1, description="wrong keys that one client address may try in a minute"
    )
    edit_area: tuple[float, float, float, float] = Field(
        default=(115, 25, 125, 34), description="west, south, east, north (degrees) within which edits must lie"
    )
    token_wait_ms: int = Field(
        default=2_000, ge=0, description="how long a read waits for the write that its `Innomap-Token` names"
    )
    max_limit: int = Field(default=10_000, ge=1, description="largest `limit` of an items request")
    max_export_mb: int = Field(
        default=2048, ge=1, description="largest download (MiB) of the formats that are made as a file: gpkg, xlsx, …"
    )
    import_max_mb: int = Field(default=1024, ge=1, description="largest file (MiB) that can be imported")
    import_max_unpacked_mb: int = Field(
        default=4096, ge=1, description="most that an archive (zip, xlsx) may unpack to, in MiB"
    )
    import_max_files: int = Field(default=1000, ge=1, description="most files in an archive that is imported")
    import_max_rows: int = Field(default=5_000_000, ge=1, description="most rows of an import")
    import_max_columns: int = Field(default=300, ge=1, description="most columns of a file that is imported")
    import_max_vertices: int = Field(default=1_000_000, ge=4, description="most vertices of one imported geometry")
    import_max_text: int = Field(default=10_000, ge=1, description="longest text of one imported cell, in characters")
    import_seconds: int = Field(default=3600, ge=1, description="longest time of an import")
    import_memory_mb: int = Field(
        default=2048, ge=512, description="most memory (MiB of data) of the process that reads an imported file"
    )
    concurrent_imports: int = Field(default=1, ge=1, le=16, description="uploaded files that are imported at once")
    upload_max_mb: int = Field(default=100, ge=1, description="largest file (MiB) that can be uploaded over HTTP")
    upload_seconds: int = Field(default=120, ge=1, description="longest time of an import that was uploaded over HTTP")
    default_limit: int = Field(default=100, ge=1, description="`limit` of an items request that names none")

    @property
    def spare_connections(self) -> int:
        """Connections of the pool that one kind of heavy work may hold; others are left for other questions."""
        return max(1, (self.pool_size - 1) // 2)


@lru_cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()
