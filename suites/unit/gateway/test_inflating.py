import gzip
import zlib

import pytest

from gateway.net.inflating import CompressionError, Inflater, inflater_for

TEXT = b"The Loire is the longest river of France. " * 100


def inflate(coding: str, data: bytes, size: int) -> bytes:
    inflater = inflater_for(coding)
    assert inflater is not None
    read = b""
    for at in range(0, len(data), size):
        inflater.feed(data[at : at + size])
        while piece := inflater.take():
            read += piece
    return read + inflater.close()


COMPRESSED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "gzip by its old name": (" X-GZip ", gzip.compress(TEXT)),
    "gzip in two members": ("gzip", gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:])),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "deflate without its header": ("deflate", zlib.compress(TEXT)[2:-4]),
}


@pytest.mark.parametrize(("coding", "data"), COMPRESSED.values(), ids=COMPRESSED)
@pytest.mark.parametrize("size", [1, 50, 10_000], ids=["bytes", "fifties", "at once"])
def test_compression_is_undone_however_it_is_cut(coding: str, data: bytes, size: int) -> None:
    """A body that is compressed without having been asked for is read all the same."""
    assert inflate(coding, data, size) == TEXT


@pytest.mark.parametrize("coding", ["", "identity", "br", "utf-8", "gzip, br"])
def test_other_codings_are_left_as_they_are(coding: str) -> None:
    """What is not known is passed on as it came."""
    assert inflater_for(coding) is None


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "data", [b"hello", gzip.compress(TEXT) + b"hello", b"\xff" * 50], ids=["plain", "more", "noise"]
)
def test_what_is_not_compressed_is_told(coding: str, data: bytes) -> None:
    """A body that is not what its head says is an error, and not text."""
    with pytest.raises(CompressionError):
        inflate(coding, data, 10_000)


def test_little_becomes_much_step_by_step() -> None:
    """A body that is blown up a thousand times is handed out in pieces of a bounded size."""
    inflater = Inflater("gzip")
    inflater.feed(gzip.compress(bytes(8 * 2**20)))
    sizes = []
    while piece := inflater.take():
        sizes.append(len(piece))

    assert sum(sizes) == 8 * 2**20
    assert max(sizes) <= 256 * 2**10


def test_members_without_end_are_refused() -> None:
    """Empty members one after the other are work for nothing."""
    with pytest.raises(CompressionError):
        inflate("gzip", gzip.compress(b"") * 2_000, 100_000)
