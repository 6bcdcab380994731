"""OpenAI's own client as the judge: what it reads from the gateway is what it reads from the provider itself."""

import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from fixtures.simulators.server import SimulatedProvider
from fixtures.simulators.steps import Cut, ErrorEvent, Say, Status, Step
from fixtures.simulators.text import Reply
from fixtures.stage import Connection
from suites.contract.cases import TWO_CALLS, over_providers, providers
from suites.contract.conversation import model_of, simulator_of
from suites.contract.telling import lasting

pytestmark = [
    pytest.mark.item("UB-007", "PL-121", "RQ-009"),
    pytest.mark.needs("chat", "streaming", "configuration", "upstreams"),
    pytest.mark.rule("openai client"),
]

TIMEOUT_S = 30.0
FLEETING = frozenset({"id", "created", "model", "object"})
"""What differs from one call to the next, or between a gateway and its provider, by design; the object is what Azure
leaves empty in its first chunk, which the gateway mends."""

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]

LIKE_OPENAI = tuple(name for name, each in providers().items() if each.speaks in {"openai", "azure"})


@dataclass(frozen=True, slots=True)
class Pair:
    """The same client before the gateway and before the provider itself."""

    gateway: openai.OpenAI
    provider: openai.OpenAI
    model: str
    simulator: SimulatedProvider


@pytest.fixture
def pair(gateway: Connection, provider: str, tls: ssl.SSLContext) -> Iterator[Pair]:
    simulator = simulator_of(gateway, provider)
    ours = gateway_client(gateway, tls)
    theirs = direct_client(simulator, tls)
    with ours, theirs:
        yield Pair(ours, theirs, model_of(gateway, provider), simulator)


def gateway_client(gateway: Connection, tls: ssl.SSLContext) -> openai.OpenAI:
    """Return the client that a gateway's users have, but for its retries."""
    return openai.OpenAI(
        base_url=f"{gateway.target.url}/v1", api_key=gateway.target.keys.user or "none", **_settings(tls)
    )


def direct_client(simulator: SimulatedProvider, tls: ssl.SSLContext) -> openai.OpenAI:
    """Return the client that a provider's users have, but for its retries."""
    key = simulator.api_key or "none"
    if simulator.kind == "azure":
        return openai.AzureOpenAI(
            azure_endpoint=simulator.base_url, api_key=key, api_version="2024-10-21", **_settings(tls)
        )
    return openai.OpenAI(base_url=simulator.base_url, api_key=key, **_settings(tls))


def _settings(tls: ssl.SSLContext) -> dict[str, Any]:
    """Return what all clients have in common; a context of TLS of their own would take longer than most tests."""
    return {"max_retries": 0, "timeout": TIMEOUT_S, "http_client": openai.DefaultHttpxClient(verify=tls)}


def _lasting(told: Any) -> Any:
    return lasting(told.model_dump(), FLEETING)


Ask = Callable[[openai.OpenAI, str], Any]

QUESTION: Any = [{"role": "user", "content": "Name a river of Europe."}]


def _whole(client: openai.OpenAI, model: str) -> Any:
    return _lasting(client.chat.completions.create(model=model, messages=QUESTION, max_tokens=64))


def _tools(client: openai.OpenAI, model: str) -> Any:
    return _lasting(client.chat.completions.create(model=model, messages=QUESTION, tools=TOOLS))


def _stream(client: openai.OpenAI, model: str) -> Any:
    chunks = client.chat.completions.create(
        model=model, messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    return [_lasting(chunk) for chunk in chunks]


def _helper(client: openai.OpenAI, model: str) -> Any:
    with client.chat.completions.stream(
        model=model, messages=QUESTION, tools=TOOLS, stream_options={"include_usage": True}
    ) as stream:
        final = _lasting(stream.get_final_completion())
    return {"choices": final["choices"], "usage": final["usage"]}


@pytest.mark.parametrize("provider", LIKE_OPENAI)
@pytest.mark.parametrize(
    ("ask", "reply"),
    [(_whole, None), (_tools, TWO_CALLS), (_stream, None), (_stream, TWO_CALLS), (_helper, TWO_CALLS)],
    ids=["whole", "tools", "stream", "stream of tools", "helper"],
)
def test_client_reads_the_same(pair: Pair, ask: Ask, reply: Reply | None) -> None:
    """Of a provider that speaks OpenAI's format the client reads through the gateway just what it reads directly."""
    if reply is not None:
        pair.simulator.script(Say(reply), Say(reply))
    directly = ask(pair.provider, pair.simulator.models[0])
    assert ask(pair.gateway, pair.model) == directly, "the client reads something else through the gateway"


@over_providers()
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_client_reads_every_provider(pair: Pair, *, stream: bool) -> None:
    """Whatever a provider speaks, the client reads its text, its finish reason and its usage."""
    wanted = pair.simulator.reply_to({"model": pair.simulator.models[0], "messages": QUESTION})
    if stream:
        with pair.gateway.chat.completions.stream(
            model=pair.model, messages=QUESTION, stream_options={"include_usage": True}
        ) as events:
            answer: Any = events.get_final_completion()
    else:
        answer = pair.gateway.chat.completions.create(model=pair.model, messages=QUESTION)
    said = [(choice.message.content, choice.finish_reason) for choice in answer.choices]
    assert said == [(wanted.text, "stop")]
    (*_before, call) = pair.simulator.calls()
    told = answer.usage and (answer.usage.prompt_tokens, answer.usage.completion_tokens)
    assert told == (call.prompt_tokens, call.completion_tokens), "the usage is not the provider's"


@over_providers("tools")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_client_reads_parallel_tools(pair: Pair, *, stream: bool) -> None:
    """Whatever a provider speaks, the client reads its parallel calls of tools, with an id for each."""
    pair.simulator.script(Say(TWO_CALLS))
    if stream:
        with pair.gateway.chat.completions.stream(model=pair.model, messages=QUESTION, tools=TOOLS) as events:
            message: Any = events.get_final_completion().choices[0].message
    else:
        answer = pair.gateway.chat.completions.create(model=pair.model, messages=QUESTION, tools=TOOLS)
        message = answer.choices[0].message
    calls = [
        (call.function.name, call.function.arguments.replace(" ", "")) for call in message.tool_calls or ()
    ]
    assert calls == [("get_weather", '{"city":"Rome"}'), ("get_weather", '{"city":"Oslo"}')]
    assert len({call.id for call in message.tool_calls}) == 2, "two calls have one id"


@over_providers()
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (Status(400), openai.BadRequestError),
        (Status(429), openai.RateLimitError),
        (Status(500), openai.InternalServerError),
        (Status(503), openai.InternalServerError),
        # The key is the gateway's and so is the mistake: the caller must not be told that theirs is wrong.
        (Status(401), openai.InternalServerError),
        (Cut("before headers", "rst"), openai.InternalServerError),
        (Cut(2, "fin"), openai.InternalServerError),
    ],
    ids=["bad request", "rate limit", "error", "unavailable", "refused key", "reset", "cut"],
)
def test_client_raises_what_it_means(pair: Pair, step: Step, error: type[openai.APIStatusError]) -> None:
    """The client raises the error that fits what happened, with our code, and does not try again."""
    pair.simulator.script(step)
    with pytest.raises(error) as raised:
        pair.gateway.chat.completions.create(model=pair.model, messages=QUESTION)
    assert raised.value.code, "the error carries no code"
    assert raised.value.response.headers.get("x-should-retry") == "false"
    assert raised.value.request_id, "the error carries no request id"


@over_providers()
@pytest.mark.parametrize(
    "step", [ErrorEvent(3), Cut(3, "rst"), Cut(3, "end")], ids=["error event", "reset", "early end"]
)
def test_client_notices_a_broken_stream(pair: Pair, step: Step) -> None:
    """A stream that cannot be finished makes the client raise after what was delivered."""
    pair.simulator.script(step)
    chunks = pair.gateway.chat.completions.create(model=pair.model, messages=QUESTION, stream=True)
    delivered: list[Any] = []
    with pytest.raises(openai.APIError):
        delivered.extend(chunks)
    assert delivered, "nothing was delivered before the error"


def test_client_lists_the_models(gateway: Connection, tls: ssl.SSLContext) -> None:
    """The client lists the models that are offered."""
    with gateway_client(gateway, tls) as client:
        listed = {model.id for model in client.models.list()}
    assert set(gateway.target.models) <= listed, "models are missing in the list"
