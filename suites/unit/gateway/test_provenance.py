from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.config.registry import Model, Registry
from gateway.engine.calls import Served
from gateway.faces import CHAT_FACES
from gateway.kernel.limits import Limits, Window
from gateway.policy.fallback import Candidate
from gateway.web.provenance import provenance_headers
from suites.unit.gateway.conftest import Stage, registry_of
from suites.unit.gateway.fake_provider import FakeProvider, status, stream
from suites.unit.gateway.wire_texts import GOOD_STREAM, completion

LIMIT_HEADERS = {
    "x-ratelimit-limit-requests": "50",
    "x-ratelimit-remaining-requests": "49",
    "x-ratelimit-reset-requests": "1s",
}
ASKED = {"model": "first", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def served() -> Served[None]:
    """An answer of the model "first" at the provider "openai"."""
    registry = registry_of(
        {"openai": {"base_url": "http://u:p-example@h/v1"}}, {"first": {"provider": "openai"}}
    )
    candidate = Candidate(registry.models["first"], registry.providers["openai"])
    return Served(None, candidate, None, ())


def test_caller_learns_who_answered(served: Served[None]) -> None:
    """The names of the configuration are told, and nothing of address, key or the provider's own model name."""
    secretive = Model(name="first", provider="openai", upstream_model="secret-model")
    told = provenance_headers(
        served._replace(candidate=replace(served.candidate, model=secretive)), CHAT_FACES[0], NOW
    )

    assert told == {"x-gateway-provider": "openai", "x-gateway-model": "first", "x-gateway-attempts": "1"}


@pytest.mark.parametrize(
    ("dropped", "told"),
    [
        (("seed", "messages.0.name", "tools[0]"), "seed, messages.0.name, tools[0]"),
        (
            ("a\r\nset-cookie: b", "gr\u00fc\u00df", "x, y"),
            "a%0D%0Aset-cookie%3A%20b, gr%C3%BC%C3%9F, x%2C%20y",
        ),
        (("n" * 5000,), "n" * 100),
        (("n",) * 51, ", ".join("n" * 50)),
    ],
    ids=["names", "hostile names", "long name", "many names"],
)
def test_caller_learns_what_was_left_out(served: Served[None], dropped: tuple[str, ...], told: str) -> None:
    """The fields are named; they are the caller's own words, and cannot break or burst the header."""
    headers = provenance_headers(served._replace(dropped=dropped), CHAT_FACES[0], NOW)

    assert headers["x-gateway-dropped-params"] == told


def test_limits_are_told_in_the_form_of_the_face(served: Served[None]) -> None:
    """A provider's limits reach the caller by the names that its SDK knows."""
    limited = served._replace(limits=Limits(requests=Window(50, 49, 1.0)))

    chat, messages, responses = (set(provenance_headers(limited, face, NOW)) for face in CHAT_FACES)

    assert (
        chat == responses == {"x-gateway-provider", "x-gateway-model", "x-gateway-attempts", *LIMIT_HEADERS}
    )
    assert "anthropic-ratelimit-requests-remaining" in messages


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/v1/chat/completions", "x-ratelimit-remaining-requests"),
        ("/v1/responses", "x-ratelimit-remaining-requests"),
        ("/v1/messages", "anthropic-ratelimit-requests-remaining"),
    ],
)
def test_answer_stream_and_refusal_tell_the_limits(
    stage_of: Callable[..., Stage], provider: FakeProvider, path: str, header: str
) -> None:
    """Limits come with an answer, with the start of a stream, and with the refusal for their sake."""
    refusal = {"error": {"message": "Slow down.", "code": "rate_limit_exceeded"}}
    provider.then(
        status(200, completion(), LIMIT_HEADERS),
        stream(*GOOD_STREAM),
        status(429, refusal, {**LIMIT_HEADERS, "retry-after": "7"}),
    )
    registry = registry_of({"openai": {"base_url": provider.url}}, {"first": {"provider": "openai"}})
    stage = stage_of(registry)
    body: dict[str, Any] = {**ASKED, "input": "Hi"}

    whole = stage.client.post(path, json=body)
    begun = stage.client.post(path, json={**body, "stream": True})
    refused = stage.client.post(path, json=body)

    assert [response.status_code for response in (whole, begun, refused)] == [200, 200, 429]
    assert (whole.headers[header], refused.headers[header]) == ("49", "49")
    assert begun.headers["x-gateway-provider"] == whole.headers["x-gateway-provider"] == "openai"
    assert (refused.headers["retry-after"], refused.headers["x-should-retry"]) == ("7", "false")


def test_fallback_is_named(pair: Registry, stage_of: Callable[..., Stage], fallback: FakeProvider) -> None:
    """Where another model has answered than was asked for, the headers say so."""
    fallback.then(status(200, completion()))

    headers = stage_of(pair).client.post("/v1/messages", json=ASKED).headers

    assert (headers["x-gateway-provider"], headers["x-gateway-model"]) == ("spare", "second")
    assert headers["x-gateway-attempts"] == "2"
