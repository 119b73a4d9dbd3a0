"""Every request of the cookbook is answered, and not with nothing."""

import shlex

import httpx
import pytest

from app.settings import ROOT

BASE = "http://127.0.0.1:8000"
TEXT = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for line in TEXT.splitlines() if line.startswith("    curl ")]


def test_there_are_questions() -> None:
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("command", COMMANDS)
def test_the_question_is_answered(client: httpx.Client, command: str) -> None:
    program, options, address, *rest = shlex.split(command)
    assert (program, options) == ("curl", "-sG")
    assert address.startswith(BASE)
    assert set(rest[::2]) <= {"-d", "--data-urlencode"}
    parameters = dict(part.split("=", 1) for part in rest[1::2])
    answer = client.get(address.removeprefix(BASE), params=parameters)
    assert answer.status_code == 200, answer.text[:300]
    body = answer.json()
    found = body.get("features", body.get("items", body.get("groups")))
    assert found
    assert body.get("numberMatched", 1) > 0
