"""The gateway's own description of itself, held against what it does: thousands of requests, fitting and unfitting."""

from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from requests import Session
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    status_code_conformance,
)

from fixtures.client import TargetError
from fixtures.stage import ANSWER_TIMEOUT_S, Connection, Launch
from fixtures.targets.protocol import Bench, Change
from fixtures.targets.reference.upstreams import UPSTREAMS
from suites.contract.conversation import ask, model_of

LEAST_CASES = 5_000
"""How many requests are made in all."""

EDGES = {
    "GET /_health/live": 9,
    "GET /_health/ready": 9,
    "GET /health": 9,
    "GET /openapi.json": 9,
    "GET /v1/models": 9,
    "GET /v1/models/{model}": 15,
    "POST /v1/chat/completions": 300,
    "POST /v1/embeddings": 80,
    "POST /v1/messages": 240,
    "POST /v1/responses": 180,
    "GET /api/v1/providers": 9,
    "GET /api/v1/providers/{provider}": 15,
    "POST /api/v1/providers/{provider}/test-connection": 15,
    "POST /api/v1/providers/{provider}/preflight": 15,
    "POST /api/v1/providers/{provider}/activate": 15,
    "DELETE /api/v1/providers/{provider}/activate": 15,
    "GET /api/v1/governance/status": 9,
    "GET /api/v1/requests/{request_id}/attempts": 9,
    "GET /api/v1/errors": 9,
    "GET /api/v1/errors/{code}": 40,
}
"""The operations that have to be there, each with how many edge cases it has at least: every keyword of its schema
just kept and just broken, each optional field alone, each other method."""

ELSEWHERE = [
    (f"POST /v1/{path}", provider)
    for path in ("chat/completions", "messages", "responses")
    for provider in ("azure", "anthropic", "gemini", "bedrock", "ollama")
]
"""The conversations are tried at the same edges before a provider of each other format: what the document allows, each
of them answers, or refuses in a documented way."""

RANDOM = {
    ("POST /v1/chat/completions", GenerationMode.POSITIVE): 80,
    ("POST /v1/chat/completions", GenerationMode.NEGATIVE): 80,
    ("POST /v1/messages", GenerationMode.POSITIVE): 80,
    ("POST /v1/messages", GenerationMode.NEGATIVE): 80,
    ("POST /v1/responses", GenerationMode.POSITIVE): 80,
    ("POST /v1/responses", GenerationMode.NEGATIVE): 80,
    ("POST /v1/embeddings", GenerationMode.POSITIVE): 80,
    ("POST /v1/embeddings", GenerationMode.NEGATIVE): 80,
    ("GET /v1/models/{model}", GenerationMode.NEGATIVE): 80,
    ("GET /api/v1/providers/{provider}", GenerationMode.NEGATIVE): 80,
    ("POST /api/v1/providers/{provider}/preflight", GenerationMode.NEGATIVE): 80,
    ("GET /api/v1/errors/{code}", GenerationMode.NEGATIVE): 80,
}
"""How many random requests are made, fitting and unfitting; the edge cases have every name that is there."""

CONFORMANCE = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
]


@dataclass(frozen=True, slots=True)
class Trial:
    """One operation of a gateway under trial: every case is sent, and its answer held against the document."""

    gateway: Connection
    session: Session
    document: dict[str, Any]
    operation: APIOperation[Any, Any, Any, Any]
    permitted: jsonschema_rs.Validator | None
    seen: Counter[int] = field(default_factory=Counter)

    def attempt(self, case: Case[Any]) -> None:
        """Send one case; TargetError where the answer is not as documented."""
        keys = self.gateway.target.keys
        key = keys.admin if case.path.startswith("/api/") else keys.user
        try:
            answer = case.call(
                base_url=self.gateway.target.url,
                session=self.session,
                headers={"authorization": f"Bearer {key}"},
                timeout=ANSWER_TIMEOUT_S,
            )
            self._judge(case, answer)
        except OSError as error:
            raise TargetError(
                f"{case.method} {case.formatted_path}: {type(error).__name__}: {error}"
            ) from error
        except FailureGroup as failures:
            raise TargetError(failures.message) from failures
        self.seen[answer.status_code] += 1

    def _judge(self, case: Case[Any], answer: Response) -> None:
        if case.method != self.operation.method.upper():
            case.validate_response(answer, checks=[not_a_server_error])
            return
        case.validate_response(answer, checks=CONFORMANCE)
        try:
            self.operation.validate_response(answer)
        except Failure as failure:
            raise TargetError(f"{failure.title}: {failure.message}\n{case.as_curl_command()}") from failure
        if answer.status_code < 400 and not self._fits(case):
            raise TargetError(
                f"{case.method} {case.formatted_path} accepts what its schema forbids: {case.body!r}"
            )

    def _fits(self, case: Case[Any]) -> bool:
        """Whether a body is as documented; what is no JSON object is not."""
        return self.permitted is None or (isinstance(case.body, dict) and self.permitted.is_valid(case.body))


@pytest.fixture
def document(gateway: Connection) -> dict[str, Any]:
    """The description that the gateway gives of itself."""
    answer = gateway.nobody.get("/openapi.json")
    assert answer.status == 200, f"/openapi.json answered {answer.status}"
    assert isinstance(answer.body, dict), f"/openapi.json is no JSON object: {answer.text[:200]}"
    gateway.notes.transcript.calls.clear()  # beneath a failure it would be pages of what nobody looks for
    return answer.body


@pytest.fixture
def trial_of(
    gateway: Connection, launch: Launch, document: dict[str, Any]
) -> Iterator[Callable[[str], Trial]]:
    """Give the trial of an operation, named as in "GET /v1/models"; all of its requests share their connections.

    One that alters the order in which providers are asked is tried on a gateway of its own.
    """

    def start(name: str) -> Trial:
        tried = launch(Change()) if name.endswith("/activate") else gateway
        method, path = name.split(" ")
        described = document["paths"].get(path, {}).get(method.lower())
        assert described, f"{name} is not documented"
        operation = schemathesis.openapi.from_dict(document)[path][method]
        return Trial(tried, session, document, operation, _body_validator(document, described))

    with Session() as session:
        # What the environment says of proxies and passwords would be looked up for every request.
        session.trust_env = False
        yield start


@pytest.mark.item("RQ-009")
@pytest.mark.needs("openapi")
def test_description_is_valid(document: dict[str, Any]) -> None:
    """The document follows the schema of OpenAPI."""
    try:
        schemathesis.openapi.from_dict(document).validate()
    except jsonschema_rs.ValidationError as error:
        pytest.fail(f"the document is not valid: {error.message}")


@pytest.mark.item("RQ-009")
@pytest.mark.needs("openapi", "configuration")
def test_every_operation_is_tried(document: dict[str, Any]) -> None:
    """What the document describes is what is tried here, and there are requests enough."""
    described = {
        f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods
    }
    assert sorted(described) == sorted(EDGES)
    elsewhere = sum(EDGES[name] for name, _provider in ELSEWHERE)
    assert sum(EDGES.values()) + elsewhere + sum(RANDOM.values()) >= LEAST_CASES


@pytest.mark.item("RQ-009")
@pytest.mark.needs("openapi", "chat", "models", "user-keys", "admin-keys", "upstreams")
@pytest.mark.parametrize("name", EDGES)
def test_edge_cases_are_answered_as_described(trial_of: Callable[[str], Trial], name: str) -> None:
    """Requests at the edges of what is allowed are answered as the document says, and refused beyond them."""
    trial = trial_of(name)
    for case in _edge_cases(trial):
        trial.attempt(case)
    assert trial.seen.total() >= EDGES[name], f"the schema has {trial.seen.total()} edge cases"
    assert trial.seen[200], f"nothing was accepted: {dict(trial.seen)}"
    trial.gateway.notes.measure("requests", trial.seen.total(), "count")


@pytest.mark.item("RQ-009")
@pytest.mark.needs("openapi", "chat", "models", "user-keys", "admin-keys", "upstreams")
@pytest.mark.rule("edges of the document")
@pytest.mark.parametrize(("name", "provider"), ELSEWHERE)
def test_edge_cases_are_answered_by_every_format(
    trial_of: Callable[[str], Trial], name: str, provider: str
) -> None:
    """What the document allows is answered before a provider of any format, or refused as the document says."""
    trial = trial_of(name)
    model = model_of(trial.gateway, provider)
    for case in _edge_cases(trial):
        if isinstance(case.body, dict) and case.body.get("model") in [*trial.gateway.target.models]:
            case.body = {**case.body, "model": model}
        trial.attempt(case)
    assert trial.seen.total() >= EDGES[name], f"the schema has {trial.seen.total()} edge cases"
    trial.gateway.notes.measure("requests", trial.seen.total(), "count")


@pytest.mark.item("RQ-009")
@pytest.mark.needs("openapi", "chat", "models", "user-keys", "admin-keys", "upstreams")
@pytest.mark.parametrize(("name", "mode"), RANDOM, ids=[f"{name} {mode.value}" for name, mode in RANDOM])
def test_random_requests_are_answered_as_described(
    trial_of: Callable[[str], Trial], bench: Bench, name: str, mode: GenerationMode
) -> None:
    """Random requests, fitting and unfitting, are answered as the document says; none makes the gateway fail."""
    trial = trial_of(name)
    strategy = _generator(trial).as_strategy(generation_mode=mode)

    @seed(bench.seed)
    @settings(
        max_examples=RANDOM[name, mode],
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
        deadline=None,
        report_multiple_bugs=False,
    )
    @given(strategy)
    def attempt(case: Case[Any]) -> None:
        trial.attempt(case)

    attempt()
    assert trial.seen.total() >= RANDOM[name, mode], f"only {trial.seen.total()} requests could be made up"
    trial.gateway.notes.measure("requests", trial.seen.total(), "count")


def _edge_cases(trial: Trial) -> Iterator[Case[Any]]:
    operation = _generator(trial)
    cases: Iterator[Case[Any]] = operation.schema.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=operation.schema.config.generation,
    )
    return cases


def _id_of_a_request(trial: Trial) -> str:
    """Return the id of a request that has just been answered."""
    return ask(trial.gateway, model_of(trial.gateway, "openai")).headers["x-request-id"]


def _models_for(trial: Trial) -> list[str]:
    """Return the models that can do what the operation is for."""
    vectors = {each.embedding_model for each in UPSTREAMS}
    wanted = trial.operation.path == "/v1/embeddings"
    return [model for model in trial.gateway.target.models if (model in vectors) == wanted]


def _body_validator(document: dict[str, Any], described: dict[str, Any]) -> jsonschema_rs.Validator | None:
    body = described.get("requestBody")
    if body is None:
        return None
    schema = body["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": document["components"]})


def _generator(trial: Trial) -> APIOperation[Any, Any, Any, Any]:
    """Return the operation as requests are made up by it.

    It knows the models and providers that are there, or hardly any request would get past their names. It adds neither
    fields of its own invention nor headers, which would take most of the time.
    """
    document = deepcopy(trial.document)
    schemas = document["components"]["schemas"]
    schemas["ModelName"]["enum"] = _models_for(trial)
    schemas["ProviderName"]["enum"] = list(trial.gateway.target.providers)
    schemas["RequestId"]["enum"] = [_id_of_a_request(trial)]
    for schema in schemas.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    described = document["paths"][trial.operation.path][trial.operation.method]
    described["parameters"] = [each for each in described["parameters"] if not _is_header(each, document)]
    made_up = schemathesis.openapi.from_dict(document)
    made_up.config.generation.with_security_parameters = False
    return made_up[trial.operation.path][trial.operation.method]


def _is_header(parameter: dict[str, Any], document: dict[str, Any]) -> bool:
    name = str(parameter.get("$ref", "")).rpartition("/")[2]
    stated: dict[str, Any] = document["components"]["parameters"][name] if name else parameter
    return bool(stated["in"] == "header")
