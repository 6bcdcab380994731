from collections.abc import Callable, Iterator
from functools import partial
from os import urandom

_BYTES = 16
_AT_ONCE = 256


def id_source() -> Callable[[], str]:
    """Makes a source of ids that nobody can guess: 32 hexadecimal digits each.

    The randomness for many is fetched at once, as a system call for each would take a third of the time that the log of
    a request takes. A source belongs to one process: after a fork both would give the same ids.
    """
    return partial(next, _ids())


def _ids() -> Iterator[str]:
    while True:
        drawn = urandom(_BYTES * _AT_ONCE)
        for start in range(0, len(drawn), _BYTES):
            yield drawn[start : start + _BYTES].hex()
