from gateway.dialects.neutral import call_seed, delta_body, usage_chunk, whole_answer, whole_choice
from gateway.schema.chat import Native
from gateway.schema.usage import Usage
from suites.unit.gateway.stamped import HEAD, STAMP


def test_whole_answer_is_a_completion() -> None:
    """An answer bears the gateway's stamp, its usage where that is known, and the original beside it."""
    choice, native = whole_choice({"role": "assistant", "content": "Hi"}, "stop"), Native("anthropic", {})

    told = whole_answer(STAMP, [choice], Usage(1, 2), native)

    assert told.body == HEAD | {
        "object": "chat.completion",
        "choices": [choice],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
    assert (told.usage, told.native) == (Usage(1, 2), native)
    assert "usage" not in whole_answer(STAMP, [choice], None).body


def test_chunk_goes_on_or_ends() -> None:
    """A chunk holds what is new, and the finish reason at the end."""
    goes_on, ends = delta_body(STAMP, {"content": "Hi"}), delta_body(STAMP, {}, "stop")

    assert goes_on == HEAD | {
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {"content": "Hi"}, "logprobs": None, "finish_reason": None}],
    }
    assert ends["choices"][0] == {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}


def test_last_chunk_is_there_for_the_usage_alone() -> None:
    """The usage of a stream stands in a chunk without choices."""
    last = usage_chunk(STAMP, Usage(1, 2))

    assert (last.body["choices"], last.body["usage"]["total_tokens"], last.usage) == ([], 3, Usage(1, 2))


def test_ids_of_calls_come_from_that_of_the_answer() -> None:
    """Calls of different answers never have the same id."""
    assert call_seed(STAMP) == "call_ours"
