from tests.ingest.dataset import boundaries, files

__all__ = ["boundaries", "files"]
