"""The joint between what a caller has seen of an answer and another provider's answer to the same request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.schema.deltas import ChatChunk

Delta = Mapping[str, Any]
Key = tuple[str, int]
"""What a run tells: the name of a text, or `tool_calls` and which of them."""

# In the order in which a model tells them, should one chunk hold several.
_TEXTS = ("reasoning_content", "content", "refusal")
_CALLS = "tool_calls"
# The others say something about the answer, and differ from one telling to the next.
_COMPARED = frozenset({*_TEXTS, _CALLS})
_KNOWN = _COMPARED | {"role", "annotations", "extra_content", "reasoning_details"}


class DivergedError(Exception):
    """A new answer does not begin with what was delivered, so it cannot stand in for the rest."""


@dataclass(slots=True)
class _Run:
    """What a choice tells without a change of subject: a text, or the arguments of a call with its name."""

    key: Key
    name: str = ""
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class _Call:
    """What one delta tells of a call, and which call of its choice that is."""

    number: int
    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        return (self.told.get("function") or {}).get("name") or ""

    @property
    def arguments(self) -> str:
        return (self.told.get("function") or {}).get("arguments") or ""


@dataclass(slots=True)
class _Calls:
    """Counts the calls of a choice and keeps their indexes; another id begins another call, even under an old index."""

    indexes: list[int] = field(default_factory=list)
    _open: dict[int, tuple[int, str]] = field(default_factory=dict)

    def read(self, delta: Delta) -> Iterator[_Call]:
        for position, told in enumerate(delta.get(_CALLS) or ()):
            index = told.get("index")
            number = self._number(position if index is None else index, told.get("id") or "")
            yield _Call(number, told)

    def _number(self, index: int, call_id: str) -> int:
        number, known_id = self._open.get(index, (-1, ""))
        if number < 0 or (call_id and known_id and call_id != known_id):
            number, known_id = len(self.indexes), ""
            self.indexes.append(index)
        self._open[index] = number, known_id or call_id
        return number


@dataclass(slots=True)
class _Said:
    """What was delivered of one choice, run by run."""

    runs: list[_Run] = field(default_factory=list)
    calls: _Calls = field(default_factory=_Calls)

    def note(self, delta: Delta) -> None:
        for name in _TEXTS:
            if text := delta.get(name):
                self._grow((name, 0), text)
        if delta.get(_CALLS):
            for call in self.calls.read(delta):
                self._grow((_CALLS, call.number), call.arguments, call.name)

    def _grow(self, key: Key, text: str, name: str = "") -> None:
        if not self.runs or self.runs[-1].key != key:
            self.runs.append(_Run(key))
        run = self.runs[-1]
        run.name = run.name or name
        run.pieces.append(text)


class Delivered:
    """Gathers the chunks of an answer that were shown to its caller."""

    def __init__(self) -> None:
        self.choices: dict[int, _Said] = {}
        self.has_foreign_parts = False
        self._pieces = 0

    @classmethod
    def of_text(cls, text: str) -> "Delivered":
        """Makes the beginning of an answer that is a mere text."""
        delivered = cls()
        delivered._take(0, {"role": "assistant", "content": text})
        return delivered

    def note(self, chunk: ChatChunk) -> None:
        """Takes a chunk that is shown to the caller."""
        for choice in chunk.body["choices"]:
            self._take(choice.get("index", 0), choice.get("delta") or {})
        self._pieces += chunk.delivers

    @property
    def text(self) -> str:
        """The text of the first choice."""
        said = self.choices.get(0)
        return "".join(run.text for run in said.runs if run.key[0] == "content") if said else ""

    @property
    def is_text_only(self) -> bool:
        """Whether there is nothing but the text of one choice."""
        keys = {run.key[0] for said in self.choices.values() for run in said.runs}
        return not self.has_foreign_parts and keys <= {"content"} and not self.choices.keys() - {0}

    @property
    def anything(self) -> bool:
        """Whether the caller has seen content."""
        return self.has_foreign_parts or any(said.runs for said in self.choices.values())

    @property
    def least_tokens(self) -> int:
        """How many tokens the text has taken at the least.

        A chunk holds one or more, and so does a word. But many words may come in one chunk, and one word in many.
        """
        return min(self._pieces, len(self.text.split()))

    def _take(self, index: int, delta: Delta) -> None:
        said = self.choices.get(index)
        if said is None:
            said = self.choices[index] = _Said()
        if _has_foreign_parts(delta):
            self.has_foreign_parts = True
        else:
            said.note(delta)


class Splice:
    """Passes on of a new answer what goes beyond the delivered, in the neutral form.

    Where the chunks of the two begin and end does not matter. Nothing is passed on before every choice has told all
    that was delivered of it. A chunk in which the boundary lies is cut, and loses its log probabilities.
    """

    def __init__(self, delivered: Delivered) -> None:
        self._choices = {index: _Progress(said) for index, said in delivered.choices.items()}
        self._is_comparable = not delivered.has_foreign_parts
        self._held: list[ChatChunk] = []

    @property
    def matched(self) -> bool:
        """Whether the new answer has told all that was delivered."""
        return self._is_comparable and all(progress.matched for progress in self._choices.values())

    def feed(self, chunk: ChatChunk) -> list[ChatChunk]:
        """Takes a chunk of the new answer and returns what is new of it.

        Raises DivergedError at the first difference, or where a choice ends too early.
        """
        if not self._is_comparable:
            raise DivergedError("What was delivered cannot be compared with another answer.")
        had_matched = self.matched
        if (new := self._beyond(chunk, had_matched=had_matched)) is not None:
            self._held.append(new)
        if not self.matched:
            return []
        released, self._held = self._held, []
        return released

    def _beyond(self, chunk: ChatChunk, *, had_matched: bool) -> ChatChunk | None:
        told = chunk.body["choices"]
        choices = [new for choice in told if (new := self._rest_of(choice)) is not None]
        if not choices and (told or not had_matched):
            return None
        return ChatChunk(
            {**chunk.body, "choices": choices},
            delivers=any(value for new in choices for name, value in new["delta"].items() if name != "role"),
            finishes=any(new.get("finish_reason") for new in choices),
            usage=chunk.usage,
        )

    def _rest_of(self, choice: Mapping[str, Any]) -> dict[str, Any] | None:
        delta, index = choice.get("delta") or {}, choice.get("index", 0)
        progress = self._choices.get(index)
        if progress is None:
            return {**choice, "delta": delta}
        had_matched = progress.matched
        rest = progress.beyond(delta)
        ends = bool(choice.get("finish_reason"))
        if ends and not progress.matched:
            raise DivergedError("The new answer ends within what was delivered.")
        if not ends and not any(rest.values()) and ("role" in delta or not had_matched):
            return None
        new = {**choice, "delta": rest}
        return new if had_matched or not choice.get("logprobs") else {**new, "logprobs": None}


class _Progress:
    """How far one choice of the new answer has told what was delivered of it."""

    def __init__(self, said: _Said) -> None:
        self.matched = not said.runs
        self._runs = [(run.key, run.name, run.text) for run in said.runs]
        self._known_indexes = said.calls.indexes
        self._calls = _Calls()
        self._run = 0
        self._at: int | None = None  # within the run; None where it has not begun

    def beyond(self, delta: Delta) -> dict[str, Any]:
        """Returns what a delta adds to the delivered; raises DivergedError."""
        if not self.matched and _has_foreign_parts(delta):
            raise DivergedError("The new answer holds what was not delivered.")
        rest = {name: value for name, value in delta.items() if name not in {"role", *_COMPARED}}
        rest = rest if self.matched else {}
        for name in _TEXTS:
            if (text := delta.get(name)) and (new := self._take((name, 0), "", text)):
                rest[name] = new
        if calls := [new for call in self._calls.read(delta) if (new := self._rest_of(call))]:
            rest[_CALLS] = calls
        return rest

    def _rest_of(self, call: _Call) -> dict[str, Any]:
        had_matched = self.matched
        new = self._take((_CALLS, call.number), call.name, call.arguments)
        if call.number >= len(self._known_indexes):
            return dict(call.told)
        if not new and not had_matched:
            return {}
        # Its id and its name have been told, and clients would append what is told again.
        return {"index": self._known_indexes[call.number], "function": {"arguments": new}}

    def _take(self, key: Key, name: str, text: Any) -> Any:
        """Compares a piece with what was delivered, and returns what of it goes beyond."""
        if self.matched:
            return text
        if self._is_told and self._runs[self._run][0] != key:
            self._run, self._at = self._run + 1, None
        expected_key, expected_name, expected = self._runs[self._run]
        begins, self._at = self._at is None, self._at or 0
        if key != expected_key or (begins and name != expected_name):
            raise DivergedError("The new answer tells something else.")
        count = min(len(text), len(expected) - self._at)
        if not expected.startswith(text[:count], self._at):
            raise DivergedError("The new answer differs from what was delivered.")
        self._at += count
        is_last = self._run == len(self._runs) - 1
        self.matched = is_last and self._is_told
        if count < len(text) and not is_last:
            raise DivergedError("The new answer goes on where the delivered one did not.")
        return text[count:]

    @property
    def _is_told(self) -> bool:
        """Whether the run has come to its end."""
        return self._at == len(self._runs[self._run][2])


def _has_foreign_parts(delta: Delta) -> bool:
    """Tells whether a delta says what is not known to be text: it cannot be compared, nor cut."""
    for name, value in delta.items():
        if not value:
            continue
        if name == _CALLS:
            if not isinstance(value, list) or not all(map(_is_call, value)):
                return True
        elif name not in _KNOWN or (name in _TEXTS and not isinstance(value, str)):
            return True
    return False


def _is_call(told: Any) -> bool:
    match told:
        case {"function": Mapping() as function}:
            texts = (told.get("id"), function.get("name"), function.get("arguments"))
            return all(isinstance(text, str | None) for text in texts)
        case _:
            return False
