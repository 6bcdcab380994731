"""Whether an answer to a cut case is what one provider said in whole, or an explicit error: pure."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from suites.chaos.cut_batch import Heard
from suites.chaos.cut_cases import GOES_ON, THINKS_ALOUD, Case, Part
from suites.chaos.cut_ears import Words

_FINISHED = {
    "chat": {"stop": "stop", "length": "length", "tool_calls": "tool_calls"},
    "messages": {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"},
    "responses": {"stop": "completed", "length": "incomplete", "tool_calls": "completed"},
}
_ERROR = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """One call at a provider: its place in the chain, and the beginning of an answer that it was to go on with."""

    place: int
    begun: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """What a caller is told who is answered in whole: thoughts are None where they may be kept from it."""

    text: str
    thinking: str | None
    tools: tuple[tuple[str, str], ...]
    finish_reason: str


def problems_of(heard: Heard, asked: Sequence[Asked]) -> list[str]:
    """Return what is wrong with an answer, nothing where it is honest and all that was owed."""
    found = _problems(heard, asked)
    places = [each.place for each in asked]
    if places != sorted(set(places)):
        found.append(f"the providers were asked in the order {places}: each once, and in turn, is allowed")
    return found


def _problems(heard: Heard, asked: Sequence[Asked]) -> list[str]:
    told, words = heard.told, heard.words
    if told.after_end:
        return [f"{told.after_end} events follow the end"]
    if words.strays:
        return [f"an event may not stand there: {words.strays[0]}"]
    wholes = list(_wholes(heard.case, asked))
    match told.outcome:
        case "ok" if any(_is_told(words, told.finish_reason, whole) for whole in wholes):
            return []
        case "ok":
            return ["a success that no provider has said in whole"]
        case "fail":
            return list(_problems_of_error(heard, wholes))
        case _:
            return [f"neither an answer nor an error: {told.why}"]


def _problems_of_error(heard: Heard, wholes: Sequence[Whole]) -> Iterator[str]:
    told, words = heard.told, heard.words
    if told.error_code in (None, "unknown"):
        yield "an error without a code"
    if told.status is not None and told.status < _ERROR and told.events == 0:
        yield f"an error with the status {told.status}"
    if not any(_is_begun(words, whole) for whole in wholes):
        yield "it tells what nobody has said"
    if why := _owed(heard):
        yield f"no answer, though {why}"


def _wholes(case: Case, asked: Sequence[Asked]) -> Iterator[Whole]:
    """Yield what the caller may be told, by everyone who was asked; whoever goes on must do so with what was said."""
    known: list[str] = [""]
    for each in asked:
        part = case.parts[each.place - 1]
        if each.begun and not any(text.startswith(each.begun) for text in known):
            continue
        whole = _whole(case, part, each.begun)
        known.append(whole.text)
        yield whole
    yield Whole("", "", (), "")  # an error may come before anything was said


def _whole(case: Case, part: Part, begun: str) -> Whole:
    reply = part.reply
    goes_on = bool(begun) and reply.text.startswith(begun) and not reply.tools
    text = reply.text if goes_on else begun + reply.text
    thinking: str | None = reply.thinking if part.kind in THINKS_ALOUD and not goes_on else ""
    if case.face == "messages":
        thinking = None
    return Whole(
        text=text,
        thinking=thinking,
        tools=tuple((tool.name, tool.arguments) for tool in reply.tools),
        finish_reason=_FINISHED[case.face][reply.ending],
    )


def _is_told(words: Words, finish_reason: str | None, whole: Whole) -> bool:
    return (
        words.text == whole.text
        and finish_reason == whole.finish_reason
        and (whole.thinking is None or words.thinking == whole.thinking)
        and _parsed(words.tools) == _parsed(whole.tools)
    )


def _is_begun(words: Words, whole: Whole) -> bool:
    """Whether a broken answer has told the beginning of this one; arguments may be spaced in another way."""
    told, said = words.tools, whole.tools[: len(words.tools)]
    return (
        whole.text.startswith(words.text)
        and (whole.thinking is None or whole.thinking.startswith(words.thinking))
        and [name for name, _arguments in told] == [name for name, _arguments in said]
        and all(
            _squeezed(known).startswith(_squeezed(arguments))
            for (_name, arguments), (_known, known) in zip(told, said, strict=True)
        )
    )


def _owed(heard: Heard) -> str:
    """Return why there should have been an answer, nothing where an error is honest."""
    case, words = heard.case, heard.words
    sound = [place for place, part in enumerate(case.parts, start=1) if part.is_sound]
    # Thoughts that this face does not show have been delivered all the same.
    hidden = case.face == "messages" and any(part.reply.thoughts for part in case.parts)
    if not sound:
        return ""
    if not case.stream or case.rescue == "hold":
        return f"nothing had to be delivered before provider {sound[0]} was asked"
    if not (words.text or words.thinking or words.tools or hidden):
        return f"nothing was delivered, and provider {sound[0]} is well"
    return _owed_rescue(case)


def _owed_rescue(case: Case) -> str:
    first, second, _third = case.parts
    if not second.is_sound or first.reply != second.reply or _is_passed_on(case):
        return ""
    plain = not first.reply.tools and not first.reply.thoughts
    if case.rescue == "continue" and plain and second.kind in GOES_ON:
        return "the second provider goes on with answers"
    replayed = case.rescue == "replay" or (case.rescue == "auto" and case.deterministic)
    if replayed and (plain or first.kind == second.kind):
        return "the second provider says the same"
    return ""


def _is_passed_on(case: Case) -> bool:
    """Whether the caller sees a provider's own events, which not every other provider can go on with."""
    return case.face == "messages" and case.parts[0].kind == "anthropic"


def _parsed(tools: Sequence[tuple[str, str]]) -> list[tuple[str, Any]]:
    try:
        return [(name, json.loads(arguments)) for name, arguments in tools]
    except json.JSONDecodeError:
        return [(name, arguments) for name, arguments in tools]


def _squeezed(arguments: str) -> str:
    return "".join(arguments.split())
