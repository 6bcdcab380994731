"""Faults on the way as data: `{fault: latency, ms: 200, stream: upstream, share: 0.5}`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fixtures.faults import Down, Fault, Toxic
from fixtures.faults.kinds import (
    Frame,
    bandwidth,
    cut,
    event_delay,
    latency,
    limit_data,
    reset_peer,
    script,
    slicer,
    timeout,
)

KINDS: Mapping[str, Callable[..., Fault]] = MappingProxyType(
    {
        "bandwidth": bandwidth,
        "cut": cut,
        "down": Down,
        "event_delay": event_delay,
        "latency": latency,
        "limit_data": limit_data,
        "reset_peer": reset_peer,
        "script": lambda outcomes: script(*outcomes),
        "slicer": slicer,
        "timeout": timeout,
    }
)
"""By the names that `fixtures.faults.kinds` has for them; whatever else an entry says are their arguments."""

_OWN = frozenset({"fault", "stream", "share"})
_STREAMS = ("downstream", "upstream")


def fault_of(entry: Mapping[str, Any], frame: Frame = "sse") -> Fault:
    """Return the fault that an entry tells; events are counted in this frame.

    Raises:
        ValueError: it tells none; the text names what is wrong.

    """
    name = str(entry.get("fault"))
    if name not in KINDS:
        raise ValueError(f"fault: {name!r} is none of {', '.join(KINDS)}")
    try:
        fault = KINDS[name](**{key: value for key, value in entry.items() if key not in _OWN})
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error
    if isinstance(fault, Down):
        if set(entry) != {"fault"}:
            raise ValueError("down: a link is down as a whole")
        return fault
    return _framed(_aimed(fault, entry), frame)


def counts_events(fault: Fault) -> bool:
    """Whether the fault has to find the events of a body, which it can in lines of text alone."""
    return isinstance(fault, Toxic) and (fault.type == "event_delay" or "events" in fault.attributes)


def _aimed(fault: Toxic, entry: Mapping[str, Any]) -> Toxic:
    stream, share = entry.get("stream", "downstream"), entry.get("share", 1.0)
    if stream not in _STREAMS:
        raise ValueError(f"stream: {stream!r} is none of {', '.join(_STREAMS)}")
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError(f"share: {share!r} is no share from 0 to 1")
    return (fault.upstream() if stream == "upstream" else fault).for_share(float(share))


def _framed(fault: Toxic, frame: Frame) -> Toxic:
    if "frame" not in fault.attributes:
        return fault
    attributes = {**fault.attributes, "frame": frame}
    return Toxic(fault.type, attributes, fault.stream, fault.toxicity, fault.match)
