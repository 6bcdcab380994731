"""Providers in a line: the first is asked for a model, the others are its fallbacks."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gateway.config.registry import Registry
from suites.unit.gateway.conftest import ADMIN, Stage, registry_of
from suites.unit.gateway.fake_provider import FakeProvider

NAMES = ("first", "second", "third")
PATIENT: dict[str, float] = {"first_byte_s": 5, "whole_s": 5, "idle_s": 5, "total_s": 10}
QUICK: dict[str, float] = {"first_byte_s": 0.2, "whole_s": 0.2, "idle_s": 0.2, "total_s": 2}
"""Waits for a provider that will not answer in time."""
AT_ONCE = {"backoff_s": 0.001, "jitter": 0}
"""Retries that do not let a test wait."""


def line_of(
    *providers: FakeProvider,
    chain: Mapping[str, Any] | None = None,
    resilience: Mapping[str, Any] | None = None,
    vendor: str = "openai",
    upstream_model: str | None = None,
    timeouts: Mapping[str, Any] | None = None,
) -> Registry:
    """Gives the models `first`, `second` and `third` at as many providers, `at_first` and so on.

    `timeouts` are those of the first; nobody waits in vain for the others.
    """
    names = NAMES[: len(providers)]
    waits = {"first": dict(timeouts or PATIENT)}
    model = {"upstream_model": upstream_model} if upstream_model else {}
    return registry_of(
        {
            f"at_{name}": {"vendor": vendor, "base_url": provider.url, "timeouts": waits.get(name, PATIENT)}
            for name, provider in zip(names, providers, strict=True)
        },
        {name: {"provider": f"at_{name}", **model} for name in names},
        {"first": {"fallbacks": list(names[1:]), **(chain or {})}},
        dict(resilience or {}),
    )


def attempts_of(stage: Stage, response: Any) -> list[dict[str, Any]]:
    """Returns what the gateway tells of the attempts of a request."""
    shown = stage.client.get(f"/api/v1/requests/{response.headers['x-request-id']}/attempts", headers=ADMIN)
    attempts: list[dict[str, Any]] = shown.json()["attempts"]
    return attempts


def told_of(stage: Stage, response: Any, *fields: str) -> list[tuple[Any, ...]]:
    """Returns some fields of every attempt of a request."""
    return [tuple(attempt[field] for field in fields) for attempt in attempts_of(stage, response)]


def decisions_of(stage: Stage, response: Any) -> list[tuple[str, str]]:
    """Returns who was asked for a request, and why, without the word that all providers have in common."""
    told = told_of(stage, response, "provider", "decision")
    return [(provider.removeprefix("at_"), decision) for provider, decision in told]


def state_of(stage: Stage, provider: str = "at_first") -> str:
    """Returns in which state the breaker of a provider is that serves one model."""
    listed = stage.client.get(f"/api/v1/providers/{provider}", headers=ADMIN).json()["provider"]
    return listed["left_alone"][0]["state"] if listed["left_alone"] else "closed"


def status_of(stage: Stage, provider: str = "at_first") -> str:
    listed = stage.client.get(f"/api/v1/providers/{provider}", headers=ADMIN).json()["provider"]
    status: str = listed["connection_status"]
    return status


def await_that(condition: Callable[[], object], within_s: float = 5.0) -> None:
    """Returns as soon as something is the case, and fails where it does not become so."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "it has not come about in time"
        time.sleep(0.002)


@contextmanager
def caller_at(url: str, body: bytes) -> Iterator[socket.socket]:
    """Sends a chat request from a caller who leaves at the end of the block."""
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as caller:
        caller.sendall(head.encode() + body)
        yield caller


def text_of(events: Sequence[Any]) -> str:
    """Joins the content of a stream's chunks; what holds no choices adds nothing."""
    chunks = [each for each in events if isinstance(each, dict) and each.get("choices")]
    return "".join(each["choices"][0]["delta"].get("content") or "" for each in chunks)
