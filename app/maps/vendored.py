"""The files for browsers that are served from here: those of ``scripts/vendor``, unmodified npm packages, listed in
``manifest.json``.
"""

import json
from functools import cache
from pathlib import Path
from typing import TypedDict

VENDOR = Path(__file__).parents[1] / "static" / "vendor"


class VendoredPackage(TypedDict):
    """One entry of the manifest: `licence` is an SPDX expression, `files` maps path to SHA-512 (hex)."""

    name: str
    version: str
    licence: str
    licence_files: list[str]
    files: dict[str, str]


@cache
def vendored_packages() -> dict[str, VendoredPackage]:
    """The manifest of the vendored packages by name, e.g. for a page of credits."""
    packages: list[VendoredPackage] = json.loads((VENDOR / "manifest.json").read_text(encoding="utf-8"))
    return {package["name"]: package for package in packages}


def asset_url(package: str, file: str, prefix: str = "/static/vendor") -> str:
    """Address of one vendored file, e.g. ``asset_url("leaflet", "dist/leaflet.js")``.

    Raises KeyError when the package or the file is not vendored.
    """
    entry = vendored_packages()[package]
    if file not in entry["files"]:
        raise KeyError(f"{package}@{entry['version']} is vendored without {file}")
    return f"{prefix}/{package}@{entry['version']}/{file}"
