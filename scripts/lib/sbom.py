"""Writes the bill of materials, CycloneDX 1.6 in JSON, to standard output: what is shipped, as requirements.lock and
the manifest of the files for browsers have it. Run by scripts/verify sbom, in its environment.

cyclonedx-py reads the lock. Its references to packages are kept as package URLs, which name no index; every component
stands on a line of its own, so that a change is seen in a diff.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "app" / "static" / "vendor"


def of_python() -> dict[str, Any]:
    """The lock as cyclonedx-py describes it."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    options = [
        "--output-reproducible",
        "--of",
        "JSON",
        "--sv",
        "1.6",
        "--pyproject",
        "pyproject.toml",
        "requirements.lock",
    ]
    told = subprocess.run([program, "requirements", *options], cwd=ROOT, capture_output=True, text=True)  # noqa: S603
    if told.returncode:
        sys.exit(told.stderr)
    made: dict[str, Any] = json.loads(told.stdout)
    for tool in made["metadata"]["tools"]["components"]:
        tool.pop("externalReferences", None)
    for one in made["components"]:
        one["bom-ref"] = one["purl"]
        del one["description"]
        for reference in one["externalReferences"]:
            reference["url"] = one["purl"]
            del reference["comment"]
    return made


def of_browsers() -> list[dict[str, Any]]:
    """The packages of npm whose files stand in the repository, each file with its hash."""
    made = []
    for package in json.loads((VENDOR / "manifest.json").read_text("utf-8")):
        purl = f"pkg:npm/{package['name']}@{package['version']}"
        files = [
            {"type": "file", "name": name, "hashes": [{"alg": "SHA-512", "content": digest}]}
            for name, digest in package["files"].items()
        ]
        one: dict[str, Any] = {
            "bom-ref": purl,
            "type": "library",
            "name": package["name"],
            "version": package["version"],
        }
        made.append(one | {"purl": purl, "licenses": [{"expression": package["licence"]}], "components": files})
    return made


def main() -> None:
    made = of_python()
    made["components"] = sorted([*made["components"], *of_browsers()], key=lambda one: one["purl"])
    # no tool gives a graph of a lock: better none than one that is not whole
    made.pop("dependencies", None)
    components = ",\n".join(json.dumps(one, ensure_ascii=False) for one in made.pop("components"))
    head = json.dumps(made, ensure_ascii=False, indent=1).removesuffix("\n}")
    text = f'{head},\n "components": [\n{components}\n]\n}}\n'
    if fault := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        sys.exit(f"not valid: {fault}")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
