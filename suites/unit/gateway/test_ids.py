import re
from itertools import islice

from gateway.kernel.ids import id_source


def test_ids_are_long_and_never_come_again() -> None:
    """An id is 128 random bits in hexadecimal digits, and the source does not repeat itself, however long it runs."""
    source = id_source()
    ids = list(islice(iter(source, None), 1_000))

    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)
    assert len(set(ids)) == len(ids)


def test_sources_have_nothing_in_common() -> None:
    """Two sources give different ids."""
    assert id_source()() != id_source()()
