"""All settings, read once from the environment at start (prefix ``INNOMAP_``, and ``DATABASE_URL``).

One class a concern. ``scripts/lib/settings_page.py`` makes ``docs/settings.md`` of them: a class's docstring is the
heading, a field's description, Chinese then English, its meaning.
"""

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.base_maps import BaseMapSettings

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Unit:
    """The unit of a number."""

    name: str


Milliseconds = Annotated[int, Unit("ms")]
Seconds = Annotated[float, Unit("s")]
WholeSeconds = Annotated[int, Unit("s")]
Bytes = Annotated[int, Unit("B")]
Megabytes = Annotated[int, Unit("MB")]
Mebibytes = Annotated[int, Unit("MiB")]
Characters = Annotated[int, Unit("字符 characters")]


def default_data_dir() -> Path:
    """Where the private database lives unless told otherwise.

    Root gets a system folder, because the database server then runs as an unprivileged user,
    who cannot reach anything below ``/root``; everybody else gets the XDG state folder.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/innomap")
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "innomap"


class DatabaseSettings(BaseModel):
    """数据库 Database"""

    database_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "INNOMAP_DATABASE_URL"),
        description="所用的 PostGIS，如 postgresql://user@host/db；不设则用 data_dir 里的私有数据库。"
        " The PostGIS to use, for example postgresql://user@host/db; unset: a private one in data_dir.",
    )
    database_pool_url: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_POOL_URL", "INNOMAP_DATABASE_POOL_URL"),
        description="同一数据库经事务模式的连接池（如 PgBouncer）的地址，供请求使用。"
        " The same database through a pooler in transaction mode, such as PgBouncer, for what requests ask.",
    )
    database_replica_urls: list[SecretStr] = Field(
        default=[],
        validation_alias=AliasChoices("DATABASE_REPLICA_URLS", "INNOMAP_DATABASE_REPLICA_URLS"),
        description="回答查询的热备库，地址如 DATABASE_URL。"
        " Hot standbys of the database that answer reads, addresses like DATABASE_URL.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="私有数据库所在文件夹；缺省：root 为 /var/lib/innomap，他人为 ~/.local/state/innomap。"
        " Folder of the private database; unset: /var/lib/innomap for root, ~/.local/state/innomap for others.",
    )
    pool_size: int = Field(
        default=8, ge=1, le=100,
        description="每个进程为查询保持的数据库连接。 Database connections that each web process keeps for reads.",
    )  # fmt: skip
    write_pool_size: int = Field(
        default=2, ge=1, le=100,
        description="此外为编辑保持的连接。 Connections for edits, beside pool_size.",
    )  # fmt: skip
    statement_timeout_ms: Milliseconds = Field(
        default=10_000, ge=100,
        description="一个请求的一条语句最长的时间，超过则 503。"
        " Longest time that one statement of a request may take, else 503.",
    )  # fmt: skip
    token_wait_ms: Milliseconds = Field(
        default=2_000, ge=0,
        description="查询为其 `Innomap-Token` 所指的写入等候备库的时间，此后问主库。"
        " How long a read waits on a standby for the write that its `Innomap-Token` names; then the primary is asked.",
    )  # fmt: skip

    @property
    def spare_connections(self) -> int:
        """Connections of the pool that one kind of heavy work may hold; others are left for other questions."""
        return max(1, (self.pool_size - 1) // 2)


class DataSettings(BaseModel):
    """数据 Data"""

    geodata_dir: Path = Field(
        default=ROOT / "geodata", description="`innomap load` 读的数据文件。 The data files that `innomap load` reads."
    )
    county_outlines: Literal["amap", "tianditu"] = Field(
        default="amap",
        description="七个县级轮廓的来源；都不是审定的地图（审图号）。"
        " Source of the seven county outlines; neither is an approved map.",
    )


class NetworkSettings(BaseModel):
    """网络 Network"""

    trusted_proxies: list[str] = Field(
        default=["127.0.0.1/32", "::1/128"],
        description="其 X-Forwarded-* 可信的网络。 Networks whose X-Forwarded-* headers are believed.",
    )
    root_path: str = Field(
        default="",
        description="反向代理加在地址前的路径，如 /map。 Path that a proxy puts before every address, such as /map.",
    )
    metrics_networks: list[str] = Field(
        default=["127.0.0.1/32", "::1/128"],
        description="可读 /metrics 的网络。 Networks that may read /metrics.",
    )
    max_connections: int = Field(
        default=2_000,
        ge=1,
       
        description="同时打开的客户端连接，超过则 503。 Clients' connections open at once, else 503.",
    )  # fmt: skip
    request_timeout_s: Seconds = Field(
        default=30, gt=0,
        description="请求头、以及其内容每 256 KiB 须在此时间内到达，否则 408。"
        " Time in which the head of a request, and each 256 KiB of its body, must arrive, else 408.",
    )  # fmt: skip
    send_timeout_s: Seconds = Field(
        default=60, gt=0,
        description="客户端须在此时间内取走 16 KiB，否则断开。"
        " Time in which a client must take 16 KiB of its answer, else the connection ends.",
    )  # fmt: skip
    longest_answer_s: Seconds = Field(
        default=3_600, gt=0,
        description="答案（含下载）最长的时间，此后切断。 Time after which an answer is cut off, a download too.",
    )  # fmt: skip


class LogSettings(BaseModel):
    """日志 Log"""

    log_format: Literal["text", "json"] = Field(
        default="text", description="给人看的行，或 JSON 对象。 Lines for people, or JSON objects."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="最低记录的级别。 Least weight that is logged."
    )
    log_requests: bool = Field(
        default=False,
        description="记录每个请求，不含客户端地址与查询。 Log each request, without client and query.",
    )
    slow_query_ms: Milliseconds = Field(
        default=1_000, ge=0,
        description="慢于此的语句连同计划记入日志；0 不记。 Slower statements are logged with their plan; 0 logs none.",
    )  # fmt: skip


class AccessSettings(BaseModel):
    """访问与编辑 Access and editing"""

    public: bool = Field(
        default=True,
        description="数据无需密钥即可读；否则任一密钥可读。 Data are read without a key; if false, any key opens them.",
    )
    failed_keys_per_minute: int = Field(
        default=10, ge=1,
        description="每个客户端地址每分钟可试错的密钥。 Wrong keys that one client address may try in a minute.",
    )  # fmt: skip
    edit_area: tuple[float, float, float, float] = Field(
        default=(115, 25, 125, 34),
        description="编辑与导入须在其中：西、南、东、北（度）。"
        " West, south, east, north in degrees, within which edits and imports must lie.",
    )


class LoadSettings(BaseModel):
    """负载 Load"""

    response_cache_mb: Megabytes = Field(
        default=64, ge=0, le=100_000,
        description="每个进程为现成的答案所留的内存；0 不留。"
        " Memory in which each web process keeps answers ready; 0 keeps none.",
    )  # fmt: skip
    concurrent_exports: int = Field(
        default=2, ge=1, le=100,
        description="同时的下载，一个客户端至多占其数减一；少于 pool_size 之半。"
        " Downloads at once, of one client all but one; less than half of pool_size.",
    )  # fmt: skip
    concurrent_tiles: int = Field(
        default=3, ge=1, le=100,
        description="同时的矢量瓦片，一个客户端至多占其数减一；少于 pool_size 之半。"
        " Vector tiles at once, of one client all but one; less than half of pool_size.",
    )  # fmt: skip
    concurrent_prints: int = Field(
        default=1, ge=1, le=16, description="同时绘制的打印地图。 Maps to print that are drawn at once."
    )
    concurrent_imports: int = Field(
        default=1, ge=1, le=16, description="同时导入的上传文件。 Uploaded files that are imported at once."
    )
    queue_length: int = Field(
        default=200, ge=0,
        description="每类（下载、瓦片、打印、导入）可等候的请求，此外 503。"
        " Requests of a kind (downloads, tiles, prints, imports) that may wait for their turn, the others get 503.",
    )  # fmt: skip
    queue_wait_s: Seconds = Field(
        default=30, gt=0,
        description="等候的最长时间，此后 503。 Longest time a request waits for its turn, then 503.",
    )  # fmt: skip
    rate_per_second: float = Field(
        default=0, ge=0,
        description="一个客户端每秒可提的请求，此外 429；0 不限。"
        " Requests a second that a client may make, the others get 429; 0: any.",
    )  # fmt: skip
    rate_burst: int = Field(
        default=100, ge=1,
        description="rate_per_second 一次放过的请求。 Requests at once that rate_per_second lets through.",
    )  # fmt: skip


class QuestionLimits(BaseModel):
    """问题的大小 Size of questions"""

    max_url_bytes: Bytes = Field(
        default=65_536, ge=1_000, description="地址的长度，超过则 414。 Longest address of a request, else 414."
    )
    max_body_bytes: Bytes = Field(
        default=1_000_000, ge=1_000,
        description="请求内容的大小，超过则 413；上传另计。 Largest body of a request, else 413; not of an upload.",
    )  # fmt: skip
    default_limit: int = Field(
        default=100, ge=1, description="未给 `limit` 时的条数。 `limit` of a request for items that names none."
    )
    max_limit: int = Field(
        default=10_000, ge=1, description="`limit` 的上限，大于它者按它。 Largest `limit`; a larger one means this."
    )
    max_page_mb: Mebibytes = Field(
        default=32, ge=1,
        description="一页要素的大小，网页为其四分之一；更大的页提前结束，由 `next` 链接续上，每页至少一个要素。"
        " Size of a page of items, of one for people a quarter; a larger one ends earlier, its `next` link goes on. At"
        " least one item is given.",
    )  # fmt: skip
    max_offset: int = Field(
        default=10_000, ge=0,
        description="`offset` 的上限；更远处用 `cursor`。 Largest `offset`; what lies behind is paged to by `cursor`.",
    )  # fmt: skip
    tile_max_features: int = Field(
        default=10_000, ge=1,
        description="一张矢量瓦片的要素，点稀疏成格者除外；达到者以 `Innomap-Capped` 说明。"
        " Features of a vector tile that is not thinned to cells; one that reaches it says so in `Innomap-Capped`.",
    )  # fmt: skip
    max_values: int = Field(
        default=100, ge=1, le=10_000,
        description="一个参数中以逗号分隔的值。 Values between commas in one parameter.",
    )  # fmt: skip
    filter_max_text: Characters = Field(
        default=65_536, ge=100, description="文本形式的过滤条件的长度。 Longest filter as text."
    )
    filter_max_depth: int = Field(
        default=64, ge=8, le=64,
        description="文本形式的过滤条件中括号的层数。 Brackets within brackets in a filter as text.",
    )  # fmt: skip
    filter_max_operators: int = Field(
        default=500, ge=10, le=500, description="文本形式的过滤条件中的运算符。 Operators in a filter as text."
    )
    json_max_depth: int = Field(
        default=128, ge=16, le=128,
        description="JSON 中括号的层数；每个运算符占两层。"
        " Brackets within brackets in JSON; of a filter each operator takes two.",
    )  # fmt: skip
    filter_max_nodes: int = Field(
        default=5_000, ge=50,
        description="过滤条件或所写要素中的运算符、属性与值，坐标除外。"
        " Operators, properties and values of a filter or of a written item, coordinates aside.",
    )  # fmt: skip
    filter_max_list: int = Field(default=1_000, ge=10, description="其中一个列表的项数。 Members of one list in it.")
    filter_max_vertices: int = Field(
        default=20_000, ge=10, description="其中全部几何的顶点。 Vertices of all its geometries together."
    )


class FileSettings(BaseModel):
    """下载、导入与上传 Downloads, imports and uploads"""

    max_export_mb: Mebibytes = Field(
        default=2048, ge=1,
        description="以文件生成的格式（gpkg、xlsx 等）的最大下载。"
        " Largest download of the formats that are made as a file: gpkg, xlsx, ….",
    )  # fmt: skip
    import_max_mb: Mebibytes = Field(
        default=1024, ge=1, description="`innomap import` 的最大文件。 Largest file of `innomap import`."
    )
    import_max_unpacked_mb: Mebibytes = Field(
        default=4096, ge=1,
        description="压缩包（zip、xlsx）解开后的大小。 Most that an archive (zip, xlsx) may unpack to.",
    )  # fmt: skip
    import_max_files: int = Field(default=1000, ge=1, description="压缩包中的文件数。 Files in an archive.")
    import_max_rows: int = Field(default=5_000_000, ge=1, description="一次导入的行数。 Rows of an import.")
    import_max_columns: int = Field(default=300, ge=1, description="文件的列数。 Columns of a file.")
    import_max_vertices: int = Field(
        default=1_000_000, ge=4, description="一个几何的顶点数。 Vertices of one imported geometry."
    )
    import_max_text: Characters = Field(
        default=10_000, ge=1, description="一格文字的长度。 Longest text of one imported cell."
    )
    import_seconds: WholeSeconds = Field(
        default=3600, ge=1, description="`innomap import` 的最长时间。 Longest time of `innomap import`."
    )
    import_memory_mb: Mebibytes = Field(
        default=2048, ge=512,
        description="读文件的进程的内存（数据段）。 Memory, as data, of the process that reads an imported file.",
    )  # fmt: skip
    upload_max_mb: Mebibytes = Field(
        default=100, ge=1, description="经 HTTP 上传的最大文件，超过则 413。 Largest file uploaded over HTTP, else 413."
    )
    upload_seconds: WholeSeconds = Field(
        default=120, ge=1, description="经 HTTP 上传的导入的最长时间。 Longest time of an import uploaded over HTTP."
    )


class Settings(
    DatabaseSettings,
    DataSettings,
    NetworkSettings,
    LogSettings,
    AccessSettings,
    LoadSettings,
    QuestionLimits,
    FileSettings,
    BaseMapSettings,
    BaseSettings,
):
    """One object for the whole program; every field is an environment variable ``INNOMAP_<FIELD>``."""

    # an error that quoted its input would print keys and passwords
    model_config = SettingsConfigDict(env_prefix="INNOMAP_", extra="ignore", hide_input_in_errors=True)


@lru_cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()
