"""What the quick profile leaves to the full one: of a test that is there whole and streamed, now one, now the other."""

from collections.abc import Iterable

_WAYS = ("whole", "streamed")


def left_to_the_full_profile(nodeids: Iterable[str]) -> set[str]:
    """Return the tests that are left out: of two that differ in nothing but the way of asking, now one, now the other.

    The ways are words between hyphens in the id of the parameters. A test that is there in one way alone stays.
    """
    pairs: dict[tuple[str, ...], dict[str, str]] = {}
    for nodeid in nodeids:
        name, _, parameters = nodeid.partition("[")
        words = parameters.removesuffix("]").split("-")
        for way in _WAYS:
            if way in words:
                place = words.index(way)
                pairs.setdefault((name, *words[:place], "", *words[place + 1 :]), {})[way] = nodeid
    both = [pairs[key] for key in sorted(pairs) if len(pairs[key]) == len(_WAYS)]
    return {pair[_WAYS[number % 2]] for number, pair in enumerate(both)}
