"""Every `curl` of README and docs/ is answered as it stands there, and every `innomap` line names what exists."""

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import httpx
import pytest
import sqlalchemy as sa

from app.cli import main
from app.edits import keys
from app.settings import ROOT
from tests.conftest import connect, http, served, settings_for

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
#: Lines of code blocks, fenced or indented, and code within lines; a command goes on to the end of a quotation.
COMMAND = re.compile(r"^(?:    )?((?:curl|innomap) (?!=)(?:[^'\n]|'[^'`]*')*)$|`((?:curl|innomap) [^`]*)`", re.M)
BASE = re.compile(r"^(?:http://)?(?:127\.0\.0\.1|localhost):8000")
FENCED = r"```{}\n(.*?)```"


def commands(page: Path) -> list[str]:
    """The commands of a page; of those within a line the ones of `innomap` are left out, which are names more often."""
    found = COMMAND.findall(page.read_text(encoding="utf-8").replace("\\\n", ""))
    return [line or word for line, word in found if line or word.startswith("curl")]


@dataclass
class Curl:
    """As much of curl as the pages use, and what they call $KEY and $URL."""

    client: httpx.Client
    key: str
    etag: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def __call__(self, command: str, folder: Path) -> httpx.Response:
        for name, value in self.variables.items():
            command = command.replace(f"${name}", value)
        words = shlex.split(command.partition(" | ")[0], comments=True)[1:]
        flags, method, address = set(), None, ""
        headers: dict[str, str] = {}
        data: list[tuple[str, str]] = []
        form: list[tuple[str, tuple[str | None, bytes]]] = []
        while words:
            word = words.pop(0)
            if word == "-H":
                name, _, value = words.pop(0).partition(": ")
                # the page cannot know the mark
                headers[name] = self.etag if name == "If-Match" else value
            elif word == "-X":
                method = words.pop(0)
            elif word in ("-d", "--data-urlencode"):
                name, _, value = words.pop(0).partition("=")
                data.append((name, value))
            elif word == "-F":
                name, _, value = words.pop(0).partition("=")
                read = (folder / value[1:]).read_bytes() if value[0] in "@<" else value.encode()
                form.append((name, (value[1:] if value[0] == "@" else None, read)))
            elif word.startswith("-"):
                flags |= set(word[1:])
            else:
                assert not address, command
                address = word
        assert flags <= set("sGiLOJ"), command
        assert BASE.match(address), command
        path = BASE.sub("", address)
        if "G" in flags or not data:
            given = httpx.URL(path)
            request = {"params": [*given.params.multi_items(), *data]}
            path = given.path
        else:
            request = {"content": "=".join(data[0]).rstrip("=")}  # type: ignore[dict-item]
        answer = self.client.request(
            method or ("POST" if form or "content" in request else "GET"),
            path,
            headers=headers,
            files=form or None,
            follow_redirects="L" in flags,
            **request,  # type: ignore[arg-type]
        )
        self.etag = answer.headers.get("etag", self.etag)
        return answer


@pytest.fixture(scope="module")
def curl(make_database: Callable[..., sa.URL], template_url: sa.URL) -> Iterator[Curl]:
    url = make_database(template_url.database)
    with connect(url).begin() as connection:
        key = keys.create(connection, "测试", "admin")
    with served(settings_for(url)) as address, http(address) as client:
        yield Curl(client, key, variables={"KEY": key, "URL": "http://localhost:8000/collections/platforms/items"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the pages speak of; those of import.md as they stand there."""
    text = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
    for name, kind in (("stations.yaml", "yaml"), ("stations.csv", "csv")):
        found = re.search(FENCED.format(kind), text, re.DOTALL)
        assert found
        (tmp_path / name).write_text(found[1], encoding="utf-8")
    for name in ("labs.csv", "parks.shp.zip", "innomap.backup"):
        (tmp_path / name).touch()
    (tmp_path / "DIR").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_commands() -> None:
    assert len(commands(ROOT / "docs" / "questions.md")) > 30
    assert len(commands(ROOT / "README.md")) > 10
    assert len(commands(ROOT / "docs" / "editing.md")) > 7


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_work(curl: Curl, folder: Path, page: Path) -> None:
    for command in commands(page):
        if command.startswith("innomap"):
            parse(command)
            continue
        answer = curl(command, folder)
        assert answer.is_success, f"{command}\n{answer.text[:300]}"
        if page.stem == "questions":
            body = answer.json()
            assert body.get("features", body.get("items", body.get("groups"))), command
            assert body.get("numberMatched", 1) > 0, command


def parse(command: str) -> None:
    """Raises UsageError where the program has no such command or option; nothing is run."""
    words = [word for word in shlex.split(command, comments=True) if word not in ("…", "...")][1:]
    group: click.Command = main
    context: click.Context | None = None
    while isinstance(group, click.Group):
        parent = group.make_context(group.name, words, parent=context)
        _, found, words = group.resolve_command(parent, [*parent._protected_args, *parent.args])
        assert found is not None
        group, context = found, parent
    group.make_context(group.name, words, parent=context)


def test_every_page_stands_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:\n")[2]
    listed = [line.rpartition(": ")[2] for line in navigation.splitlines() if line.endswith(".md")]
    assert sorted(listed) == sorted(one.name for one in (ROOT / "docs").glob("*.md"))


def test_the_readme_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [one.name for one in (ROOT / "docs").glob("*.md") if f"(docs/{one.name})" not in text] == ["index.md"]


def test_what_the_pages_name_exists() -> None:
    """The test behind a promise, the program behind a figure."""
    named = re.compile(r"`((?:tests|scripts|app|deploy|ci)/[\w./-]*\w)(?:::(\w+))?[` ]")
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]:
        for path, test in named.findall(page.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), (page.name, path)
            assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), (page.name, path, test)
    assert len(named.findall((ROOT / "docs/reliability.md").read_text(encoding="utf-8"))) > 25


def test_the_large_checks_are_all_told_of() -> None:
    told = re.findall(r"^\| (\w+) \|", (ROOT / "docs/reliability.md").read_text(encoding="utf-8"), re.M)
    assert sorted(told) == sorted(path.name for path in (ROOT / "scripts/verify.d").iterdir())
