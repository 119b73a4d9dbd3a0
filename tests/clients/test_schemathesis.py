"""Random requests by the API definition: none fails the server, every answer is one that is described."""

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
#: Requests by operation; the same in every run.
EXAMPLES = 6


def test_answers_are_as_described(client: httpx.Client) -> None:
    definition = schemathesis.openapi.from_url(f"{client.base_url}/api", wait_for_schema=30)
    operations = [one.ok() for one in definition.get_all_operations()]
    assert len(operations) > 40
    for operation in operations:

        @settings(
            max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS, timeout=60)

        ask()
