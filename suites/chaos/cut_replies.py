"""What simulated models say to a cut case, drawn at random: text, several tool calls, thoughts, in many scripts."""

import json
import random
from dataclasses import replace

from fixtures.simulators.text import Reply, ToolCall, words_of

LONGEST = 12
"""About how many tokens the longest text has."""

_LONGEST_THOUGHT = 6

_WORDS = (
    *("the", "river", "Loire", "flows", "by", "Orléans", "naïve", "Θάλασσα", "река", "長江", "🏞️", "🇫🇷"),
    *(
        '"quoted"',
        "back\\slash",
        "\n",
        "line\nbreak",
        "</script>",
        "data:",
        "[DONE]",
        "e\u0301",
        "a",
        "1,006",
    ),
)


def replies_of(rng: random.Random, count: int, *, simple: bool) -> tuple[Reply, ...]:
    """Return what so many providers say to one question, plain texts alone where it is to be `simple`.

    The later ones say the same as the first, the same at its beginning, or something else.
    """
    first = _text(rng) if simple else _reply(rng)
    return (first, *(_another(rng, first, simple=simple) for _place in range(1, count)))


def _another(rng: random.Random, first: Reply, *, simple: bool) -> Reply:
    how = rng.random()
    if how < 0.55:
        return first
    if how < 0.75 and len(first.tokens) > 1:
        kept = rng.randrange(1, len(first.tokens))
        return replace(first, tokens=(*first.tokens[:kept], *words_of(" otherwise than before.")[1:]))
    return _text(rng) if simple else _reply(rng)


def _reply(rng: random.Random) -> Reply:
    form = rng.random()
    if form < 0.55:
        return _text(rng)
    if form < 0.75:
        calls = tuple(_call(rng) for _number in range(rng.randint(1, 3)))
        said = _text(rng) if rng.random() < 0.3 else Reply()
        return replace(said, tools=calls, ending="tool_calls")
    thoughts = _words(rng, _LONGEST_THOUGHT)
    if form < 0.85:
        return Reply(thoughts=thoughts, tools=(_call(rng),), ending="tool_calls")
    return replace(_text(rng), thoughts=thoughts)


def _text(rng: random.Random) -> Reply:
    return Reply(tokens=_words(rng, LONGEST), ending="length" if rng.random() < 0.1 else "stop")


def _words(rng: random.Random, most: int) -> tuple[str, ...]:
    words = rng.choices(_WORDS, k=rng.randint(0, most))
    return words_of(" ".join(("So", *words, "it ends.")))


def _call(rng: random.Random) -> ToolCall:
    arguments = {word: rng.choice(_WORDS) for word in rng.sample(("city", "unit", "day"), 2)}
    name = rng.choice(("get_weather", "get_time"))
    return ToolCall(name, words_of(json.dumps(arguments, ensure_ascii=False)))
