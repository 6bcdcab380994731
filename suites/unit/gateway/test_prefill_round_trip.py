"""Answers that break off at one provider and are gone on with at the next, on the wire of every vendor that can."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from fixtures.simulators.server import SimulatedProvider, SimulatorServer
from gateway.config.vendors import Vendor, load_vendors
from gateway.dialects import DIALECTS
from gateway.policy.continuation import continued
from gateway.policy.splice import Delivered
from gateway.schema.chat import ChatRequest, Native, check_chat
from gateway.schema.deltas import ChatChunk
from gateway.schema.exchange import Endpoint
from suites.unit.gateway.stamped import STAMP

MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "bedrock": "anthropic.claude-3-haiku-20240307-v1:0",
    "groq": "llama-3.3-70b-versatile",
    "llamacpp": "any",
    "ollama": "llama3.2",
    "vllm": "qwen2.5-7b-instruct",
}
BODY: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "user", "content": "What grows on the meadow?"}],
    "stream": True,
    "max_tokens": 100,
}
PLAIN = check_chat(BODY)


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatorServer]:
    """Gives a server of simulated providers."""
    with SimulatorServer.start(seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def vendors() -> Any:
    return load_vendors()


def ask(provider: SimulatedProvider, vendor: Vendor, request: ChatRequest) -> list[ChatChunk]:
    """Sends a request as the gateway does and reads the stream."""
    dialect = DIALECTS[vendor.dialect]
    endpoint = Endpoint(
        base_url=provider.base_url,
        api_key="sk-example-not-a-key",
        api_version=vendor.api_version,
        quirks=vendor.quirks,
    )
    call = dialect.encode_chat(request, provider.models[0], endpoint)
    answer = httpx2.request(
        call.method, call.url, headers=dict(call.headers), content=call.body, trust_env=False
    )
    assert answer.status_code == 200, answer.text
    decoder = dialect.stream_decoder(request, STAMP, answer.headers)
    events = decoder.feed(answer.content) + decoder.close()
    assert decoder.complete
    return [event for event in events if isinstance(event, ChatChunk)]


def text_of(chunks: list[ChatChunk]) -> str:
    deltas = (choice["delta"] for chunk in chunks for choice in chunk.body["choices"])
    return "".join(delta.get("content") or "" for delta in deltas)


def test_every_vendor_that_can_is_tried(vendors: Any) -> None:
    """Whoever is asked to go on is known to do so, at least in its simulation."""
    assert {name for name, vendor in vendors.items() if vendor.quirks.prefill} == MODELS.keys()


@pytest.mark.parametrize("kind", MODELS)
def test_two_providers_make_one_answer(server: SimulatorServer, vendors: Any, kind: str) -> None:
    """However much was delivered, the caller reads the answer of one provider, byte for byte."""
    provider = server.world().add(kind, models=[MODELS[kind]])
    whole = ask(provider, vendors[kind], PLAIN)
    content = [chunk for chunk in whole if chunk.delivers]

    for count in range(1, len(content), 3):
        delivered = Delivered()
        for chunk in content[:count]:
            delivered.note(chunk)
        continuation = continued(PLAIN, delivered, vendors[kind].quirks.prefill)
        assert continuation is not None
        told = ask(provider, vendors[kind], continuation.request)
        rest = [new for chunk in told for new in continuation.joint.feed(chunk)]
        assert text_of(content[:count]) + text_of(rest) == text_of(whole)
        assert sum(chunk.finishes for chunk in rest) == 1


def test_request_in_anthropics_form_goes_on_in_it(server: SimulatorServer, vendors: Any) -> None:
    """What is passed on as it came carries the beginning of the answer too."""
    provider = server.world().add("anthropic", models=[MODELS["anthropic"]])
    told = {**BODY, "system": "Be brief."}
    request = check_chat(BODY, Native("anthropic", told))
    whole = ask(provider, vendors["anthropic"], request)
    delivered = Delivered.of_text(text_of(whole)[:15])

    continuation = continued(request, delivered, "plain")

    assert continuation is not None
    rest = ask(provider, vendors["anthropic"], continuation.request)
    assert any(chunk.native for chunk in rest)
    assert text_of([new for chunk in rest for new in continuation.joint.feed(chunk)]) == text_of(whole)[15:]
