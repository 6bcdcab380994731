from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.app import create_app
from gateway.config.settings import Settings
from gateway.kernel.codes import ReasonCode
from gateway.kernel.reasons import REASONS
from gateway.web.openapi import build_document
from suites.unit.gateway.conftest import Stage, registry_of

DOCUMENT = build_document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def routes_of(app: Starlette) -> Iterator[str]:
    for route in app.routes:
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}:
            yield f"{method} {route.path.replace(':path}', '}')}"


def test_document_and_routes_agree() -> None:
    """Every route is documented, and nothing that is no route."""
    app = create_app(Settings(), registry_of({}, {}))

    assert sorted(routes_of(app)) == sorted(OPERATIONS)


def test_document_is_valid() -> None:
    """The document follows the schema of OpenAPI 3.1, and every reference in it leads somewhere."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)

    schema.validate()
    assert [found.err() for found in schema.get_all_operations() if not hasattr(found, "ok")] == []
    assert {reference for reference in _references(DOCUMENT) if not _leads_somewhere(reference)} == set()


def test_every_component_is_used() -> None:
    """No schema, parameter or header stands in the document without being referred to."""
    defined = {
        f"#/components/{kind}/{name}"
        for kind in ("headers", "parameters", "schemas")
        for name in DOCUMENT["components"][kind]
    }
    assert defined - set(_references(DOCUMENT)) == set()


def test_every_code_is_documented() -> None:
    """The codes of the document are those of the table."""
    assert DOCUMENT["components"]["schemas"]["ReasonCode"]["enum"] == list(ReasonCode)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_operation_tells_its_refusals(operation: dict[str, Any]) -> None:
    """Every operation documents 500 and the refusals of its keys; inference also what a provider's failure becomes."""
    schemes = {name for alternative in operation["security"] for name in alternative}
    expected = {500} | ({401} if schemes else set()) | ({403} if "adminBearer" in schemes else set())
    if "requestBody" in operation:
        expected.add(413)
    if operation["tags"] == ["Inference"] and "requestBody" in operation:
        expected |= {*(reason.status for reason in REASONS.values() if reason.moves_on)}

    assert {str(status) for status in expected} <= set(operation["responses"])
    assert len({each["operationId"] for each in OPERATIONS.values()}) == len(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_answer_carries_the_request_id(operation: dict[str, Any]) -> None:
    """The header by which a request is found in the log is documented for every answer."""
    assert all("X-Request-ID" in answer["headers"] for answer in operation["responses"].values())


def test_document_is_served_to_everybody(stage: Stage) -> None:
    """The document needs no key, and is JSON."""
    response = stage.client.get("/openapi.json")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == DOCUMENT


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _leads_somewhere(reference: str) -> bool:
    node: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        node = node.get(step, {})
    return bool(node)
