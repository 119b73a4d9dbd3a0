"""The bill of materials says what the lock and the manifest of the files for browsers say."""

import json
import re
from collections import Counter
from typing import Any

from app.maps.vendored import vendored_packages
from app.settings import ROOT

BILL: dict[str, Any] = json.loads((ROOT / "sbom.cdx.json").read_text("utf-8"))
REMEDY = "write it anew: scripts/verify sbom --write"


def components(kind: str) -> list[dict[str, Any]]:
    return [one for one in BILL["components"] if one["purl"].startswith(f"pkg:{kind}/")]


def test_it_is_cyclonedx_and_of_this_release() -> None:
    about = BILL["metadata"]["component"]
    assert (BILL["bomFormat"], BILL["specVersion"]) == ("CycloneDX", "1.6")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'name = "{about["name"]}"\nversion = "{about["version"]}"' in project, REMEDY
    assert len(BILL["components"]) == len(components("pypi")) + len(components("npm"))


def test_every_package_of_the_lock_with_its_hashes_and_no_other() -> None:
    text = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", " ")
    locked = {
        (found[1], found[2], frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)))
        for line in text.splitlines()
        if (found := re.match(r"([\w.-]+)==([^ ;]+)", line))
    }
    told = [
        (one["name"], one["version"], frozenset(
            digest["content"] for reference in one["externalReferences"] for digest in reference["hashes"]
            if digest["alg"] == "SHA-256"
        ))
        for one in components("pypi")
    ]  # fmt: skip
    assert set(told) == locked, REMEDY
    assert max(Counter(told).values()) == 1
    assert {f"pkg:pypi/{name}@{version}" for name, version, _ in told} == {one["purl"] for one in components("pypi")}


def test_every_file_for_browsers_with_its_hash_and_no_other() -> None:
    told = {
        (one["name"], one["version"]): {file["name"]: file["hashes"][0]["content"] for file in one["components"]}
        for one in components("npm")
    }
    kept = {(one["name"], one["version"]): one["files"] for one in vendored_packages().values()}
    assert told == kept, REMEDY
    assert all(one["licenses"][0]["expression"] for one in components("npm"))


def test_it_names_no_index() -> None:
    assert "://" not in json.dumps(BILL["components"])
