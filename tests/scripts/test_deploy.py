"""What Dockerfile, compose.yaml and deploy/ say about the program is true; ``scripts/verify container`` runs them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = [ROOT / "Dockerfile", *sorted((ROOT / "deploy").glob("*/Dockerfile"))]
FILES = [*DOCKERFILES, ROOT / "compose.yaml", *(one for one in (ROOT / "deploy").rglob("*") if one.is_file())]
#: Read by the entry points of the database and the proxy, and by compose.yaml itself.
OTHERS = {"INNOMAP_DB_PASSWORD", "INNOMAP_HOST", "INNOMAP_UPSTREAM", "INNOMAP_HTTP_PORT", "INNOMAP_HTTPS_PORT"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def manifests() -> dict[str, Any]:
    text = (ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda path: path.parent.name)
def test_every_image_is_debian_s_and_runs_as_a_user_by_number(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert {one.split()[0] for one in re.findall(r"^FROM (.+)$", text, re.MULTILINE)} == {"debian:bookworm-slim"}
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE)[-1] in {"10001:10001", "10002:10002", "10003:10003"}
    assert "HEALTHCHECK" in text


def test_settings_that_are_named_exist() -> None:
    known = {f"INNOMAP_{name.upper()}" for name in Settings.model_fields} | OTHERS
    for file in FILES:
        named = set(re.findall(r"\bINNOMAP_[A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8")))
        assert named <= known, (file, named - known)


def test_images_are_named_after_the_release(compose: dict[str, Any], manifests: dict[str, Any]) -> None:
    release = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    names = [one["image"] for one in compose["services"].values()]
    names += [one["image"] for one in manifests["StatefulSet"]["spec"]["template"]["spec"]["containers"]]
    assert {name.partition(":")[2] for name in names} == {release}


def test_compose_builds_all_and_lets_none_write_its_root(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"map", "database", "proxy"}
    for service in compose["services"].values():
        assert (ROOT / service["build"] / "Dockerfile").is_file()
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    # the map and the database are reached through the proxy alone
    assert [name for name, service in compose["services"].items() if "ports" in service] == ["proxy"]
    assert compose["networks"]["back"]["internal"]


def test_the_pod_runs_as_the_image_s_user(manifests: dict[str, Any]) -> None:
    pod = manifests["StatefulSet"]["spec"]["template"]["spec"]
    assert f"USER {pod['securityContext']['runAsUser']}:" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert pod["containers"][0]["securityContext"]["readOnlyRootFilesystem"]


def test_what_the_image_is_built_from_is_sent_to_the_builder() -> None:
    """``.dockerignore`` lets in what the Dockerfile and the installation of the project read, and nothing else."""
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert {"app", "deploy/map", "geodata", "migrations", "pyproject.toml", "README.md", "LICENSE"} <= set(sent)
    assert all(list(ROOT.glob(name)) for name in sent)
