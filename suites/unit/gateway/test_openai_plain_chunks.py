"""The short way of reading the chunks that tell nothing but text comes out where the long one does."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

from gateway.dialects.openai_stream import OpenAIStreamDecoder
from suites.unit.gateway import splits
from suites.unit.gateway.stamped import STAMP
from suites.unit.gateway.wire_texts import DONE, FINISH, HELLO, ROLE, USAGE, WORLD, chunk, event

COUNTED = {"prompt_tokens": 3, "completion_tokens": 1}
CALL = {"index": 0, "function": {"arguments": '{"a":'}}
REST = {"index": 0, "function": {"arguments": "1}"}}

BEGUN = {
    "text": (HELLO,),
    "nothing": (chunk({}), chunk({"content": ""}), chunk({"content": None})),
    "role once more": (chunk({"role": "assistant", "content": "a"}), ROLE),
    "unknown field": (chunk({"annotations": [1]}),),
    "null for the usage": (chunk({"content": "a"}, usage=None),),
    "usage of nothing": (chunk({"content": "a"}, usage={}), DONE),
    "usage with every piece": (chunk({"content": "a"}, usage=COUNTED), HELLO),
    "usage as Groq tells it": (chunk({"content": "a"}, x_groq={"usage": COUNTED}), HELLO),
    "Groq's own": (chunk({"content": "a"}, x_groq={"id": "r"}), HELLO),
    "thoughts": (chunk({"reasoning": "Hm"}), chunk({"content": "a", "reasoning": None})),
    "thoughts twice": (chunk({"reasoning": "Hm", "reasoning_content": "Hm"}),),
    "effort": (chunk({"reasoning": {"effort": "low"}}),),
    "cut call": (chunk({"tool_calls": [CALL]}), FINISH, DONE),
    "whole call": (chunk({"tool_calls": [CALL]}), chunk({"tool_calls": [REST]}), FINISH, DONE),
    "no calls": (chunk({"content": "a", "tool_calls": []}), FINISH, DONE),
    "reason with text": (chunk({"content": "a"}, "stop"), HELLO, DONE),
    "reason of another name": (chunk({}, "eos"), DONE),
    "empty reason": (chunk({"content": "a"}, ""), FINISH, DONE),
    "reason that is none": (chunk({"content": "a"}, "error"), HELLO),
    "other choice": (chunk({"content": "b"}, index=1), HELLO, chunk({}, "stop", index=1), FINISH, DONE),
    "other choice after the end": (FINISH, chunk({"content": "b"}, index=1), HELLO, USAGE, DONE),
    "broken choice after the end": (
        FINISH,
        event({"choices": [{"index": 1, "delta": {}}, {"index": 0, "finish_reason": 5}]}),
        chunk({"content": "b"}, index=1),
        DONE,
    ),
    "text after the end": (FINISH, HELLO, WORLD, USAGE, DONE),
    "two choices": (event({"choices": [{"index": 0, "delta": {}}, {"index": 1, "delta": {}}]}), WORLD),
    "two of one index": (event({"choices": [{"index": 0, "delta": {}}, {"index": 0, "delta": {}}]}),),
    "no choices": (event({"choices": []}), USAGE, event({"choices": None})),
    "no choices at all": (event({"id": "x"}),),
    "choices in an object": (event({"choices": {"index": 0}}),),
    "choices in a text": (event({"choices": "x"}),),
    "choice that is none": (event({"choices": [5]}),),
    "no index": (event({"choices": [{"delta": {"content": "a"}}]}),),
    "index in a text": (event({"choices": [{"index": "0", "delta": {}}]}),),
    "index in a list": (event({"choices": [{"index": [0], "delta": {}}]}),),
    "index with a point": (event({"choices": [{"index": 0.0, "delta": {}}]}),),
    "index that is false": (event({"choices": [{"index": False, "delta": {"content": "a"}}]}), FINISH),
    "no delta": (event({"choices": [{"index": 0}]}), event({"choices": [{"index": 0, "delta": None}]})),
    "delta in a text": (event({"choices": [{"index": 0, "delta": "a"}]}),),
    "delta in a list": (event({"choices": [{"index": 0, "delta": []}]}),),
    "reason that is no text": (event({"choices": [{"index": 0, "delta": {}, "finish_reason": 0}]}),),
    "error": (chunk({"content": "a"}, error={"message": "busy"}),),
    "error of old": (chunk({"content": "a"}, object="error"),),
    "id of no use": (chunk({"content": "a"}, id=5), chunk({"content": "a"}, id="x")),
}

EACH_FORM = pytest.mark.parametrize(
    "form",
    [{"include_usage": True}, {"include_usage": False}, {"include_usage": False, "choices": 2}],
    ids=["usage", "no usage", "two choices"],
)


class ThoroughDecoder(OpenAIStreamDecoder):
    """Takes no chunk for a plain one."""

    @override
    def _plain_delta(self, body: dict[str, Any]) -> None:
        return None


def assert_ways_agree(pieces: tuple[bytes, ...], form: dict[str, Any]) -> None:
    """Demands that both ways give the same with every piece, and are as far with the answer."""
    short, thorough = OpenAIStreamDecoder(STAMP, **form), ThoroughDecoder(STAMP, **form)
    for piece in pieces:
        assert short.feed(piece) == thorough.feed(piece)
        assert (short.complete, short.finished) == (thorough.complete, thorough.finished)
    assert splits.decode(short, ()) == splits.decode(thorough, ())


@EACH_FORM
@pytest.mark.parametrize("pieces", BEGUN.values(), ids=BEGUN)
def test_chunk_reads_the_same_by_the_long_way(pieces: tuple[bytes, ...], form: dict[str, Any]) -> None:
    """Whatever follows the beginning of an answer, or begins it, is read as if no chunk were plain."""
    assert_ways_agree((ROLE, *pieces), form)
    assert_ways_agree(pieces, form)


@EACH_FORM
@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(list(BEGUN.values())), max_size=5))
def test_stream_reads_the_same_by_the_long_way(form: dict[str, Any], parts: list[tuple[bytes, ...]]) -> None:
    """In whatever order chunks come, they are read as if none were plain."""
    assert_ways_agree((ROLE, *(piece for part in parts for piece in part)), form)
