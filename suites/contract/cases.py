"""The cases of the contract as data: what is asked, answered and refused, and by whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import orjson
import pytest
import yaml

from fixtures.simulators.steps import Status
from fixtures.simulators.text import Ending, Reply, ToolCall, words_of

Json = dict[str, Any]

TWO_CALLS = Reply(
    tools=(
        ToolCall("get_weather", words_of('{"city": "Rome"}')),
        ToolCall("get_weather", words_of('{"city": "Oslo"}')),
    ),
    ending="tool_calls",
)
"""What a model says that calls a tool twice at once."""

THOUGHT = Reply(thoughts=words_of("The user wants a river."), tokens=words_of("The Loire."))
"""What a model says that thinks aloud."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its name in the registry, the wire format that it speaks, and what it can do."""

    name: str
    speaks: str
    can: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCase:
    """A request in OpenAI's spelling, and by wire format what a provider must get of it or why it is refused."""

    name: str
    rule: str
    ask: Json
    needs: frozenset[str]
    wire: Mapping[str, Json]
    refused: Mapping[str, str]

    def concerns(self, provider: Provider) -> bool:
        """Whether the case says anything of this provider."""
        told = provider.speaks in {"openai", "azure", *self.wire} or self.refusal_of(provider) is not None
        return told and self.needs <= provider.can

    def refusal_of(self, provider: Provider) -> str | None:
        """Return the field for which the request must be refused; None where the provider must be asked."""
        return self.refused.get(provider.name) or self.refused.get(provider.speaks)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCase:
    """What a model says."""

    name: str
    rule: str
    needs: frozenset[str]
    reply: Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCase:
    """One refusal of a provider, the reason code that it must come to, and whether the next one is asked."""

    status: int
    code: str | None
    message: str | None
    reason: str
    next: bool

    @property
    def step(self) -> Status:
        return Status(self.status, self.message, error_code=self.code)

    def __str__(self) -> str:
        return f"{self.status} {self.code or self.message or ''}".strip()[:40]


@cache
def _document(name: str) -> Any:
    text = resources.files("suites.contract").joinpath("data", f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@cache
def providers() -> Mapping[str, Provider]:
    """Return the providers of the contract by name."""
    return {
        name: Provider(name, entry["speaks"], frozenset(entry["can"]))
        for name, entry in _document("providers").items()
    }


@cache
def requests() -> tuple[RequestCase, ...]:
    """Return what is asked."""
    return tuple(
        RequestCase(
            name=entry["name"],
            rule=entry["rule"],
            ask=entry["ask"],
            needs=_needs(entry),
            wire=entry.get("wire", {}),
            refused=entry.get("refused", {}),
        )
        for entry in _document("requests")
    )


@cache
def answers() -> tuple[AnswerCase, ...]:
    """Return what is answered."""
    return tuple(
        AnswerCase(name=entry["name"], rule=entry["rule"], needs=_needs(entry), reply=_reply(entry["say"]))
        for entry in _document("answers")
    )


@cache
def errors() -> Mapping[str, tuple[ErrorCase, ...]]:
    """Return what each provider refuses, by its name."""
    return {
        name: tuple(
            ErrorCase(
                status=entry["status"],
                code=entry.get("code"),
                message=entry.get("message"),
                reason=entry["reason"],
                next=entry["next"],
            )
            for entry in entries
        )
        for name, entries in _document("errors").items()
    }


def over_providers(*needs: str) -> pytest.MarkDecorator:
    """Let a test run for every provider that can do what it needs."""
    able = [name for name, provider in providers().items() if provider.can >= set(needs)]
    return pytest.mark.parametrize("provider", able)


def tried(rule: str, provider: str, value: Any, name: str) -> Any:
    """Return the parameters `provider` and the case itself, placed at its rule in the matrix."""
    return pytest.param(provider, value, id=f"{provider}-{name}", marks=pytest.mark.rule(rule))


def over_requests(matches: Callable[[RequestCase, Provider], bool]) -> pytest.MarkDecorator:
    """Let a test run for every pair of provider and request that `matches`."""
    pairs = [
        tried(case.rule, name, case, case.name)
        for case in requests()
        for name, provider in providers().items()
        if case.concerns(provider) and matches(case, provider)
    ]
    return pytest.mark.parametrize(("provider", "case"), pairs)


def over_answers() -> pytest.MarkDecorator:
    """Let a test run for every pair of provider and answer that the provider can give."""
    pairs = [
        tried(case.rule, name, case, case.name)
        for case in answers()
        for name, provider in providers().items()
        if case.needs <= provider.can
    ]
    return pytest.mark.parametrize(("provider", "case"), pairs)


def over_errors(rule: str) -> pytest.MarkDecorator:
    """Let a test run for every refusal of every provider."""
    pairs = [tried(rule, name, case, str(case)) for name, cases in errors().items() for case in cases]
    return pytest.mark.parametrize(("provider", "case"), pairs)


def _needs(entry: Json) -> frozenset[str]:
    stated = entry.get("needs", ())
    return frozenset((stated,) if isinstance(stated, str) else stated)


def _reply(say: Json) -> Reply:
    text = say.get("text", "")
    joint = "" if say.get("joined") else " "
    text = joint.join([text] * say.get("times", 1))
    tools = tuple(
        ToolCall(name, words_of(orjson.dumps(arguments).decode()))
        for tool in say.get("tools", ())
        for name, arguments in tool.items()
    )
    ending: Ending = say.get("ending") or ("tool_calls" if tools else "stop")
    return Reply(
        tokens=_tokens(text),
        tools=tools,
        thoughts=_tokens(say.get("thoughts", "")),
        ending=ending,
        prompt_tokens=say.get("prompt_tokens"),
        completion_tokens=say.get("completion_tokens"),
        cached_tokens=say.get("cached_tokens", 0),
    )


def _tokens(text: str) -> tuple[str, ...]:
    return words_of(text) if text else ()
