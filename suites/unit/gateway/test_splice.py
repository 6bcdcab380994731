from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.policy.splice import Delivered, DivergedError, Splice
from gateway.schema.deltas import ChatChunk, NativeEvents
from suites.unit.gateway.neutral import USAGE, call, chunk, usage_chunk

Delta = dict[str, Any]
TEXTS = ("reasoning_content", "content", "refusal")
SETTINGS = settings(max_examples=150, deadline=None)


def delivering(delta: Delta, finish_reason: str | None = None, index: int = 0) -> ChatChunk:
    told = any(value for name, value in delta.items() if name != "role")
    return replace(chunk(delta, finish_reason, index=index), delivers=told, finishes=bool(finish_reason))


def delivered(chunks: Iterable[ChatChunk]) -> Delivered:
    seen = Delivered()
    for each in chunks:
        seen.note(each)
    return seen


def spliced(seen: Iterable[ChatChunk], new: Iterable[ChatChunk]) -> list[ChatChunk]:
    splice = Splice(delivered(seen))
    given_out = [each for chunk in new for each in splice.feed(chunk)]
    assert splice.matched
    return given_out


def refused(seen: Iterable[ChatChunk], new: Iterable[ChatChunk]) -> None:
    """Demands that an answer is found to differ before anything of it is given out."""
    splice = Splice(delivered(seen))
    given_out: list[ChatChunk] = []
    with pytest.raises(DivergedError):
        given_out.extend(out for each in new for out in splice.feed(each))
    assert given_out == []


def joined(chunks: Iterable[ChatChunk]) -> dict[int, Any]:
    """Gives what a client makes of a stream, choice by choice: it appends, as OpenAI's SDKs do."""
    answers: dict[int, Any] = {}
    for each in chunks:
        for choice in each.body["choices"]:
            said = answers.setdefault(choice["index"], defaultdict(str))
            delta = choice["delta"]
            for name in ("role", *TEXTS):
                said[name] += delta.get(name) or ""
            for told in delta.get("tool_calls", ()):
                for name in ("id", "type"):
                    said[name, told["index"]] += told.get(name) or ""
                for name in ("name", "arguments"):
                    said[name, told["index"]] += told["function"].get(name) or ""
            said["finish_reason"] += choice["finish_reason"] or ""
    return answers


@dataclass(frozen=True)
class Said:
    """What one choice says: texts in their order, calls with their names and arguments, and why it ends."""

    texts: tuple[tuple[str, str], ...]
    calls: tuple[tuple[str, str], ...]
    finish_reason: str

    def pieces(self) -> list[Delta]:
        """Gives it letter by letter, after the role."""
        letters = [{name: letter} for name, text in self.texts for letter in text]
        called = [
            {"tool_calls": [piece]}
            for index, (name, arguments) in enumerate(self.calls)
            for piece in (
                {"index": index, "id": "id", "type": "function", "function": {"name": name, "arguments": ""}},
                *({"index": index, "function": {"arguments": letter}} for letter in arguments),
            )
        ]
        return [{"role": "assistant", "content": ""}, *letters, *called]


@st.composite
def sayings(draw: st.DrawFn) -> Said:
    letters = st.text("ab ü", max_size=5)
    texts = tuple((name, text) for name in TEXTS if (text := draw(letters)))
    calls = draw(st.lists(st.tuples(st.sampled_from(["f", "g"]), letters), max_size=2))
    return Said(texts, tuple(calls), draw(st.sampled_from(["stop", "length"])))


def merged(deltas: Sequence[Delta]) -> Delta:
    """Makes one delta of several that follow one another."""
    whole: Delta = {}
    for delta in deltas:
        for name, value in delta.items():
            if name == "tool_calls":
                _merge_call(whole.setdefault(name, []), value[0])
            else:
                whole[name] = whole.get(name, "") + value
    return whole


def _merge_call(calls: list[Any], piece: dict[str, Any]) -> None:
    known = next((told for told in calls if told["index"] == piece["index"]), None)
    if known is None:
        calls.append({**piece, "function": dict(piece["function"])})
    else:
        known["function"]["arguments"] += piece["function"]["arguments"]


def streamed(draw: st.DrawFn, said: Sequence[Said], call_id: str) -> list[ChatChunk]:
    """Gives answers as a stream, cut into chunks and mixed in any way."""
    choices = []
    for index, each in enumerate(said):
        pieces, chunks = each.pieces(), []
        while pieces:
            count = draw(st.integers(1, 4))
            delta, pieces = merged(pieces[:count]), pieces[count:]
            for told in delta.get("tool_calls", ()):
                if "id" in told:
                    told["id"] = f"{call_id}{told['index']}"
            chunks.append(delivering(delta, index=index))
        choices.append([*chunks, delivering({}, each.finish_reason, index=index)])
    mixed: list[ChatChunk] = []
    while choices:
        chunks = draw(st.sampled_from(choices))
        mixed.append(chunks.pop(0))
        choices = [each for each in choices if each]
    return [*mixed, usage_chunk()]


@SETTINGS
@given(st.data(), st.lists(sayings(), min_size=1, max_size=2))
def test_delivered_and_spliced_are_the_whole(data: st.DataObject, said: list[Said]) -> None:
    """Wherever the first answer is cut, and however the two are divided into chunks, the client reads the whole."""
    first = data.draw(st.composite(streamed)(said, "old"))
    second = data.draw(st.composite(streamed)(said, "new"))
    seen = first[: data.draw(st.integers(0, len(first)))]
    seen = [each for each in seen if not each.finishes and each.body["choices"]]

    rest = spliced(seen, second)

    assert _without_ids(joined([*seen, *rest])) == _without_ids(joined(second))
    known = {key: value for key, value in joined(seen).get(0, {}).items() if "id" in key and value}
    assert known.items() <= joined([*seen, *rest])[0].items()
    assert rest[-1].usage == USAGE


def _without_ids(answers: dict[int, Any]) -> Any:
    return {
        index: {name: text for name, text in said.items() if name[0] != "id" and text}
        for index, said in answers.items()
    }


@SETTINGS
@given(st.data(), sayings(), sayings())
def test_another_answer_is_never_given_out(data: st.DataObject, said: Said, other: Said) -> None:
    """An answer that does not begin with what was delivered is refused before any of it has been shown."""
    first = data.draw(st.composite(streamed)([said], "old"))
    second = data.draw(st.composite(streamed)([other], "new"))
    seen = [each for each in first[: data.draw(st.integers(1, len(first) - 2))] if each.delivers]
    assume(_letters(seen) != _letters(second)[: len(_letters(seen))])

    refused(seen, second)


def _letters(chunks: Iterable[ChatChunk]) -> list[Any]:
    """Gives what a stream tells, piece by smallest piece."""
    letters: list[Any] = []
    for each in chunks:
        for choice in each.body["choices"]:
            delta = choice["delta"]
            letters += [(name, letter) for name in TEXTS for letter in delta.get(name) or ""]
            for told in delta.get("tool_calls", ()):
                name = told["function"].get("name")
                letters += [("name", told["index"], name)] if name else []
                letters += [(told["index"], letter) for letter in told["function"]["arguments"]]
    return letters


ROLE = delivering({"role": "assistant", "content": ""})
HELLO = delivering({"content": "Hello"})
FINISH = delivering({}, "stop")


def test_chunk_is_cut_where_the_boundary_lies() -> None:
    """Only the new half of a chunk is shown; the role is not told again, and the finish reason follows."""
    rest = spliced([ROLE, HELLO], [ROLE, delivering({"content": "Hello wor"}), FINISH])

    assert [each.body["choices"][0]["delta"] for each in rest] == [{"content": " wor"}, {}]
    assert [(each.delivers, each.finishes) for each in rest] == [(True, False), (False, True)]


def test_call_goes_on_under_its_first_id() -> None:
    """The id and the name that the caller knows stay as they are; of the call only its arguments go on."""
    seen = [delivering(call(3, '{"a"', id="old", name="f"))]
    whole = delivering(call(0, '{"a": 1}', id="new", name="f"))
    second = delivering(call(1, "{}", id="other", name="g"))

    told = [each.body["choices"][0]["delta"]["tool_calls"] for each in spliced(seen, [whole, second])]

    assert told == [
        [{"index": 3, "function": {"arguments": ": 1}"}}],
        [{"index": 1, "id": "other", "type": "function", "function": {"name": "g", "arguments": "{}"}}],
    ]


def test_id_that_comes_with_every_piece_is_not_repeated() -> None:
    """Clients append what they read, so what is known of a call is never told again."""
    pieces = [delivering(call(0, text, id="new", name="f")) for text in ("{", "}", " ")]

    told = [each.body["choices"][0]["delta"]["tool_calls"] for each in spliced(pieces[:1], pieces)]

    assert told == [[{"index": 0, "function": {"arguments": text}}] for text in ("}", " ")]


def test_calls_under_one_index_are_told_apart_by_their_ids() -> None:
    """Some vendors number all calls alike; another id is another call."""
    calls = [delivering(call(0, "{}", id=call_id, name=call_id)) for call_id in ("a", "b", "c")]

    rest = spliced(calls[:2], calls)

    assert [each.body["choices"][0]["delta"]["tool_calls"][0]["id"] for each in rest] == ["c"]


@pytest.mark.parametrize(
    ("seen", "new"),
    [
        ([HELLO], [delivering({"content": "Help"})]),
        ([HELLO], [delivering({"content": "Hell"}), FINISH]),
        ([HELLO], [FINISH]),
        ([HELLO], [delivering({"content": "Hell"}, "stop")]),
        ([HELLO], [delivering({"reasoning_content": "Hello"})]),
        ([HELLO], [delivering(call(0, "", id="x", name="f"))]),
        ([delivering({"reasoning_content": "a"}), HELLO], [delivering({"reasoning_content": "ab"})]),
        ([delivering({"reasoning_content": "a"}), HELLO], [HELLO]),
        ([delivering(call(0, "{}", id="x", name="f"))], [delivering(call(0, "{}", id="x", name="g"))]),
        ([delivering(call(0, "{}", id="x", name="f"))], [delivering(call(0, "{ }", id="x", name="f"))]),
        ([delivering(call(0, "", id="x", name="f"))], [delivering({"content": "a"})]),
        ([HELLO], [delivering({"audio": {"id": "x"}})]),
        ([delivering({"audio": {"id": "x"}})], [HELLO]),
        ([delivering({"content": [{"type": "text"}]})], [HELLO]),
        ([delivering({"tool_calls": [{"index": 0}]})], [HELLO]),
        ([delivering({"tool_calls": "x"})], [HELLO]),
        ([HELLO, delivering({"content": "Hi"}, index=1)], [HELLO, delivering({"content": "Ho"}, index=1)]),
    ],
    ids=[
        "other text",
        "ends too early",
        "empty",
        "ends within the chunk",
        "thoughts for text",
        "call for text",
        "longer thoughts",
        "no thoughts",
        "other tool",
        "other arguments",
        "text for a call",
        "foreign part in the new",
        "foreign part in the old",
        "content as a list",
        "call without a function",
        "calls that are none",
        "other second choice",
    ],
)
def test_what_differs_is_refused(seen: list[ChatChunk], new: list[ChatChunk]) -> None:
    """The first difference ends it, wherever it is, and nothing has been given out by then."""
    refused(seen, new)


def test_choice_waits_for_the_others() -> None:
    """With several choices nothing is given out until each has told what was delivered of it."""
    second = delivering({"content": "Hi"}, index=1)
    splice = Splice(delivered([HELLO, second]))

    assert splice.feed(delivering({"content": "Hello you"})) == []
    assert splice.feed(FINISH) == []
    assert [
        each.body["choices"][0]["index"] for each in splice.feed(delivering({"content": "Hi!"}, index=1))
    ] == [
        0,
        0,
        1,
    ]


def test_choice_that_was_not_begun_is_new_from_its_role_on() -> None:
    """Of a choice that the caller has not seen everything is new."""
    role = delivering({"role": "assistant"}, index=1)

    rest = spliced([ROLE, HELLO], [ROLE, role, delivering({"content": "Hello "})])

    assert [each.body["choices"][0]["delta"] for each in rest] == [{"role": "assistant"}, {"content": " "}]


def test_what_is_said_before_the_boundary_about_the_answer_is_dropped() -> None:
    """Filter results and signatures belong to the first answer; after the boundary they are passed on."""
    filters = replace(chunk({}), body={**chunk({}).body, "choices": [], "prompt_filter_results": []})
    signed = delivering({"content": "Hello", "extra_content": {"signature": "x"}})

    rest = spliced([HELLO], [filters, signed, filters, delivering({"annotations": [1]})])

    assert rest[0].body["choices"] == []
    assert rest[1].body["choices"][0]["delta"] == {"annotations": [1]}


def test_log_probabilities_of_a_cut_chunk_are_dropped() -> None:
    """They belong to whole tokens, and nobody knows which of them were seen."""
    body = chunk({"content": "Hello you"}).body
    likely = replace(HELLO, body={**body, "choices": [{**body["choices"][0], "logprobs": {"content": [1]}}]})

    (rest, again) = spliced([HELLO], [likely, likely])

    assert rest.body["choices"][0]["logprobs"] is None
    assert again.body["choices"][0]["logprobs"] == {"content": [1]}


def test_splice_speaks_the_neutral_form_only() -> None:
    """Another provider's own events would begin the answer anew."""
    native = replace(delivering({"content": "Hello you"}), native=NativeEvents("anthropic", ({},)))

    assert [each.native for each in spliced([HELLO], [native, native])] == [None, None]


def test_delivered_tells_what_it_is() -> None:
    """Whether an answer can be gone on with depends on what was shown of it."""
    text = delivered([ROLE, HELLO, delivering({"content": " you there"})])
    thought = delivered([delivering({"reasoning_content": "Hm"})])

    assert (text.text, text.anything, text.is_text_only, text.least_tokens) == (
        "Hello you there",
        True,
        True,
        2,
    )
    assert (thought.text, thought.anything, thought.is_text_only) == ("", True, False)
    assert (delivered([ROLE]).anything, delivered([]).text) == (False, "")
    assert not delivered([HELLO, delivering({"content": "a"}, index=1)]).is_text_only
    assert not delivered([HELLO, delivering({"audio": {"id": "x"}})]).is_text_only
    assert delivered([delivering({"audio": {"id": "x"}})]).anything


def test_words_in_letters_count_once() -> None:
    """A stream of letters is not taken for one of tokens."""
    assert delivered([delivering({"content": letter}) for letter in "some words"]).least_tokens == 2
