"""Anthropic's own client as the judge of the messages face: over Anthropic itself, and over everybody else."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import pytest

from fixtures.simulators.server import SimulatedProvider
from fixtures.simulators.steps import Cut, ErrorEvent, Say, Status, Step
from fixtures.simulators.text import Reply
from fixtures.stage import Connection
from suites.contract.cases import THOUGHT, TWO_CALLS, over_providers
from suites.contract.conversation import model_of, simulator_of
from suites.contract.telling import lasting

pytestmark = [
    pytest.mark.item("UB-007", "PL-121"),
    pytest.mark.needs("messages", "streaming", "configuration", "upstreams"),
    pytest.mark.rule("anthropic client"),
]

TIMEOUT_S = 30.0
FLEETING = frozenset({"id", "signature"})

TOOLS: Any = [
    {
        "name": "get_weather",
        "description": "The weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]
QUESTION: Any = [{"role": "user", "content": "Name a river of Europe."}]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same client before the gateway and before the provider itself."""

    gateway: anthropic.Anthropic
    provider: anthropic.Anthropic
    model: str
    simulator: SimulatedProvider


@pytest.fixture
def pair(gateway: Connection, provider: str, tls: ssl.SSLContext) -> Iterator[Pair]:
    simulator = simulator_of(gateway, provider)
    ours = _client(gateway.target.url, gateway.target.keys.user, tls)
    theirs = _client(simulator.base_url.removesuffix("/v1"), simulator.api_key, tls)
    with ours, theirs:
        yield Pair(ours, theirs, model_of(gateway, provider), simulator)


def _client(url: str, key: str | None, tls: ssl.SSLContext) -> anthropic.Anthropic:
    """Return the client, but for its retries; a context of TLS of its own would take longer than most tests."""
    http = anthropic.DefaultHttpxClient(verify=tls)
    return anthropic.Anthropic(
        base_url=url, api_key=key or "none", max_retries=0, timeout=TIMEOUT_S, http_client=http
    )


def _lasting(told: Any) -> Any:
    return lasting(told.model_dump(), FLEETING)


Ask = Callable[[anthropic.Anthropic, str], Any]


def _whole(client: anthropic.Anthropic, model: str) -> Any:
    return _lasting(client.messages.create(model=model, messages=QUESTION, max_tokens=64))


def _tools(client: anthropic.Anthropic, model: str) -> Any:
    return _lasting(client.messages.create(model=model, messages=QUESTION, max_tokens=64, tools=TOOLS))


def _events(client: anthropic.Anthropic, model: str) -> Any:
    stream = client.messages.create(model=model, messages=QUESTION, max_tokens=64, stream=True)
    return [told for event in stream if (told := _lasting(event))["type"] != "ping"]


def _helper(client: anthropic.Anthropic, model: str) -> Any:
    with client.messages.stream(model=model, messages=QUESTION, max_tokens=64, tools=TOOLS) as stream:
        return _lasting(stream.get_final_message())


@pytest.mark.parametrize("provider", ["anthropic"])
@pytest.mark.parametrize(
    ("ask", "reply"),
    [
        (_whole, None),
        (_whole, THOUGHT),
        (_tools, TWO_CALLS),
        (_events, None),
        (_events, THOUGHT),
        (_events, TWO_CALLS),
        (_helper, TWO_CALLS),
    ],
    ids=["whole", "thoughts", "tools", "stream", "stream of thoughts", "stream of tools", "helper"],
)
def test_client_reads_the_same(pair: Pair, ask: Ask, reply: Reply | None) -> None:
    """Of Anthropic itself the client reads through the gateway just what it reads directly, event by event."""
    if reply is not None:
        pair.simulator.script(Say(reply), Say(reply))
    directly = ask(pair.provider, pair.simulator.models[0])
    assert ask(pair.gateway, pair.model) == directly, "the client reads something else through the gateway"


@over_providers()
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_client_reads_every_provider(pair: Pair, *, stream: bool) -> None:
    """Whatever a provider speaks, the client reads its text, its reason to stop and its usage."""
    asked = {"model": pair.simulator.models[0], "messages": QUESTION, "max_tokens": 64}
    wanted = pair.simulator.reply_to(asked)
    message = _message(pair, stream=stream)
    assert (_said(message), message.stop_reason) == ([("text", wanted.text)], "end_turn")
    (*_before, call) = pair.simulator.calls()
    told = (message.usage.input_tokens, message.usage.output_tokens)
    assert told == (call.prompt_tokens, call.completion_tokens), "the usage is not the provider's"


@over_providers("tools")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_client_reads_parallel_tools(pair: Pair, *, stream: bool) -> None:
    """Whatever a provider speaks, the client reads its parallel calls of tools, with an id for each."""
    pair.simulator.script(Say(TWO_CALLS))
    message = _message(pair, stream=stream, tools=TOOLS)
    calls = [(block.name, block.input) for block in message.content if block.type == "tool_use"]
    assert calls == [("get_weather", {"city": "Rome"}), ("get_weather", {"city": "Oslo"})]
    assert len({block.id for block in message.content}) == 2, "two calls have one id"
    assert message.stop_reason == "tool_use"


@over_providers("reasoning")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_client_reads_thoughts(pair: Pair, *, stream: bool) -> None:
    """Whatever a provider speaks, the client reads its thoughts before its text."""
    pair.simulator.script(Say(THOUGHT))
    message = _message(pair, stream=stream, thinking={"type": "adaptive"})
    wanted = [("thinking", THOUGHT.thinking), ("text", THOUGHT.text)]
    assert _said(message) == wanted, "thoughts and text are not the model's"


@over_providers("tools")
def test_results_of_tools_reach_every_provider(pair: Pair) -> None:
    """What a tool has returned reaches the provider beside the call that it belongs to."""
    messages: Any = [
        *QUESTION,
        {
            "role": "assistant",
            "content": [
                {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Rome"}}
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "31 degrees of shade"}],
        },
    ]
    pair.gateway.messages.create(model=pair.model, messages=messages, max_tokens=64, tools=TOOLS)
    (*_before, call) = pair.simulator.calls()
    assert "31 degrees of shade" in str(call.body), "the result of the tool is lost"
    assert "Rome" in str(call.body), "the call of the tool is lost"


@over_providers()
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Status(400), anthropic.BadRequestError),
        (Status(429), anthropic.RateLimitError),
        (Status(500), anthropic.InternalServerError),
        # The key is the gateway's and so is the mistake: the caller must not be told that theirs is wrong.
        (Status(401), anthropic.InternalServerError),
        (Cut(2, "fin"), anthropic.InternalServerError),
    ],
    ids=["bad request", "rate limit", "error", "refused key", "cut"],
)
def test_client_raises_what_it_means(pair: Pair, step: Step, error: type[anthropic.APIStatusError]) -> None:
    """The client raises the error that fits what happened, from an error object of its own format."""
    pair.simulator.script(step)
    with pytest.raises(error) as raised:
        pair.gateway.messages.create(model=pair.model, messages=QUESTION, max_tokens=64)
    body: Any = raised.value.body
    assert body.get("type") == "error", "the error is not in Anthropic's format"
    assert raised.value.response.headers.get("x-should-retry") == "false"


@over_providers()
@pytest.mark.parametrize(
    "step", [ErrorEvent(3), Cut(3, "rst"), Cut(3, "end")], ids=["error event", "reset", "early end"]
)
def test_client_notices_a_broken_stream(pair: Pair, step: Step) -> None:
    """A stream that cannot be finished makes the client raise after what was delivered."""
    pair.simulator.script(step)
    events = pair.gateway.messages.create(model=pair.model, messages=QUESTION, max_tokens=64, stream=True)
    delivered: list[Any] = []
    with pytest.raises(anthropic.APIStatusError):
        delivered.extend(events)
    assert delivered, "nothing was delivered before the error"
    assert delivered[-1].type != "message_stop", "the stream was ended as if it were whole"


def _said(message: Any) -> list[tuple[str, Any]]:
    """Return the kind of each block with what it says, which stands in the field of that name."""
    return [(block.type, getattr(block, block.type, None)) for block in message.content]


def _message(pair: Pair, *, stream: bool, **more: Any) -> Any:
    asked: Any = {"model": pair.model, "messages": QUESTION, "max_tokens": 64, **more}
    if not stream:
        return pair.gateway.messages.create(**asked)
    with pair.gateway.messages.stream(**asked) as events:
        return events.get_final_message()
