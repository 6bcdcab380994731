from typing import Any

import pytest

from gateway.dialects import anthropic_messages, bedrock_messages
from gateway.dialects.shortfall import Shortfall
from gateway.schema.exchange import Endpoint

DIALECTS = pytest.mark.parametrize(
    "dialect", [anthropic_messages, bedrock_messages], ids=["Anthropic", "Bedrock"]
)


def texts_of(dialect: Any, *said: tuple[str, str]) -> list[tuple[str, list[str]]]:
    messages = [{"role": role, "content": content} for role, content in said]
    _system, turns = dialect.conversation(messages, Shortfall(Endpoint(base_url="http://h")))
    return [(turn["role"], [block["text"] for block in turn["content"]]) for turn in turns]


@DIALECTS
def test_begun_answer_ends_without_blanks(dialect: Any) -> None:
    """An answer that the caller has begun for the model ends without blanks, which Claude refuses."""
    told = texts_of(dialect, ("user", "Count. "), ("assistant", "One, two, \n"))

    assert told == [("user", ["Count. "]), ("assistant", ["One, two,"])]


@DIALECTS
def test_answer_of_blanks_is_none(dialect: Any) -> None:
    """An answer of which nothing but blanks has begun is left out."""
    assert texts_of(dialect, ("user", "Count."), ("assistant", " \n")) == [("user", ["Count."])]


@DIALECTS
def test_earlier_answers_stay_as_they_are(dialect: Any) -> None:
    """What was said before the last turn keeps its blanks."""
    told = texts_of(dialect, ("user", "Count."), ("assistant", "One "), ("user", "On."))

    assert told[1] == ("assistant", ["One "])
