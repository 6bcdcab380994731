"""What the stories of rescue tell with: answers that providers give, ways to break them, and places to do so."""

from dataclasses import dataclass
from typing import Any

import pytest

from fixtures.simulators.position import Byte, Position
from fixtures.simulators.protocol import Plan
from fixtures.simulators.steps import Chain, Cut, How, Say, Scene, Step
from fixtures.simulators.text import Reply, ToolCall, words_of
from suites.chaos.lanes import Lane

TEXT = Reply(tokens=words_of("The Loire flows by Orléans and Nantes; in Greek: Λίγηρας, and 🏞️ besides."))
CALLS = Reply(
    tokens=words_of("Let me look."),
    tools=(
        ToolCall("get_weather", words_of('{"city": "Orléans", "unit": "C"}')),
        ToolCall("get_level", words_of('{"river": "Loire", "day": "today"}')),
    ),
    ending="tool_calls",
)
THOUGHT = Reply(
    thoughts=words_of("The user wants a river of Europe."), tokens=words_of("The Loire, I would say.")
)

ALIKE = Reply(tokens=words_of("The Loire flows by Orléans and then into the Atlantic."))
"""Begins as `TEXT` does, and goes on in another way after six words."""

SHARED_WORDS = 5
OTHER = Reply(tokens=words_of("Lake Constance is no river at all."))
SHORT = Reply(tokens=TEXT.tokens[:3])


@dataclass(frozen=True, slots=True)
class CutWithin:
    """Cuts the stream in the midst of these bytes, at their first occurrence in the body."""

    data: bytes
    how: How

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        body = b"".join(event.data for event in plan.events)
        return Cut(Byte(body.index(self.data) + 1), self.how).alter(plan, scene)


def broken(reply: Reply, at: Position, how: How = "rst") -> Step:
    """Return the step that says a reply and cuts it."""
    return Chain(Say(reply), Cut(at, how))


def begin(lane: Lane, first: Step, *others: Step) -> None:
    """Let each provider of the chain take its step whenever it is asked."""
    for provider, step in zip(lane.track.providers, (first, *others), strict=True):
        provider.always(step, for_="chat")


def places_in(reply: Reply) -> list[Any]:
    """Return where to break a reply: at its beginning, in its middle, and before its end."""
    last = reply.spoken - 1
    return [
        pytest.param(at, id=f"after {at} tokens" if isinstance(at, int) else at)
        for at in (1, 2, last // 2, last, "before finish")
    ]
