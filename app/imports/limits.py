"""Limits of an import, from the settings."""

from dataclasses import asdict, dataclass

from app.settings import Settings


@dataclass(frozen=True)
class Limits:
    """What a file may take; sizes in bytes, time in seconds."""

    file: int
    unpacked: int
    files: int
    rows: int
    columns: int
    vertices: int
    text: int
    seconds: int
    memory: int
    area: tuple[float, float, float, float]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def limits(settings: Settings, *, uploaded: bool = False) -> Limits:
    """The limits of the command, or those of an upload over HTTP."""
    return Limits(
        file=(settings.upload_max_mb if uploaded else settings.import_max_mb) << 20,
        unpacked=settings.import_max_unpacked_mb << 20,
        files=settings.import_max_files,
        rows=settings.import_max_rows,
        columns=settings.import_max_columns,
        vertices=settings.import_max_vertices,
        text=settings.import_max_text,
        seconds=settings.upload_seconds if uploaded else settings.import_seconds,
        memory=settings.import_memory_mb << 20,
        area=settings.edit_area,
    )
