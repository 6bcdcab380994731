"""What the expected load takes of the machine, and whether that leaves room."""

from collections.abc import Callable

import pytest

from fixtures.resources.host_use import HostUse
from fixtures.resources.plots import plots
from fixtures.resources.usage import Usage
from reports.thresholds import Threshold
from suites.load.expected import play
from suites.load.ground import Ground

Lookup = Callable[[str, str], Threshold]

ROOM_FOR = 2.0
"""How many times the expected load the host must have room for."""

_MB = 1e6


@pytest.mark.item("PL-098", "UB-019", "UB-051")
@pytest.mark.needs("chat", "streaming", "process")
def test_machine_has_room_for_the_load(ground: Ground, threshold: Lookup) -> None:
    """What the expected load takes of processor, memory, disk and GPU is on record, and leaves room for more."""
    ground.process()
    played = play(ground)
    played.result.require_truthful()
    usage, host = Usage.of(played.samples_under_load), played.host
    _record(ground, usage, host)
    notes = ground.gateway.notes
    for plot in plots(played.samples, began_s=played.recording.header.started_monotonic_s):
        notes.plot(plot)
    cpu = usage.cpu_percent / min(usage.processes_peak, host.cores)
    for item, factor, what in (("UB-051", 1.0, "under load"), ("UB-019", ROOM_FOR, "for twice the load")):
        notes.require(f"processor {what}, of each process's core", factor * cpu, threshold(item, "cpu"))
        notes.require("memory of the host", host.memory_percent, threshold(item, "memory"))
        notes.require("disk of the host", host.disk_percent, threshold(item, "disk"))


def _record(ground: Ground, usage: Usage, host: HostUse) -> None:
    """Keep what was measured; what there is none of, as a GPU, is recorded as 0 of it."""
    notes = ground.gateway.notes
    notes.measure("processor, mean, of one core", usage.cpu_percent, "%")
    notes.measure("processor, P95, of one core", usage.cpu_percent_p95, "%")
    notes.measure("processor of the whole host", host.cpu_percent, "%")
    notes.measure("resident memory, at most", usage.rss_peak_bytes / _MB, "MB")
    notes.measure("threads, at most", usage.threads_peak, "count")
    notes.measure("descriptors, at most", usage.fds_peak or 0, "count")
    has_gpu = usage.gpu_percent_peak is not None
    notes.measure("GPUs that were found" if has_gpu else "GPUs (none is there)", int(has_gpu), "count")
    if usage.gpu_percent_peak is not None and usage.gpu_peak_bytes is not None:
        notes.measure("GPU, at most", usage.gpu_percent_peak, "%")
        notes.measure("memory of the GPU, at most", usage.gpu_peak_bytes / _MB, "MB")
