"""Random requests by the API definition: none fails the server, every answer is one that is described."""

from collections.abc import Callable
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import PATIENCE_S, examples
from tests.edits.conftest import make_key, own_client

__all__ = ["make_key", "own_client"]

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
#: Requests by operation; the same in every run.
EXAMPLES = 6
WRITING = ["editing", "history"]


def ask_all(definition: BaseSchema, least: int, **more: Any) -> None:
    operations = [one.ok() for one in definition.get_all_operations()]
    assert len(operations) >= least
    for operation in operations:

        @settings(
            max_examples=examples(EXAMPLES), derandomize=True, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS, timeout=PATIENCE_S, **more)

        ask()


def test_answers_are_as_described(client: httpx.Client) -> None:
    definition = schemathesis.openapi.from_url(f"{client.base_url}/api", wait_for_schema=30)
    ask_all(definition.exclude(tag=WRITING), 40)


def test_writing_is_as_described(own_client: httpx.Client, make_key: Callable[..., str]) -> None:
    """With a key that opens everything, in a database of its own."""
    key = make_key("random", "admin", unconditional=True)
    definition = schemathesis.openapi.from_url(f"{own_client.base_url}/api", wait_for_schema=30)
    ask_all(definition.include(tag=WRITING), 8, headers={"Authorization": f"Bearer {key}"})
