"""A load through which every first provider of a pair falls ill and recovers, and the same load without any of that."""

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, replace

from fixtures.load.locust_run import LoadRun
from fixtures.load.profile import Profile
from fixtures.load.result import LoadResult
from fixtures.stage import Connection
from reports.observations import Band
from suites.load.extents import over_models
from suites.load.ground import Ground, Meantime, Played
from suites.load.house import FAULTS

ILL_FROM, ILL_TO = 0.25, 0.75
"""From which share of the run to which the first providers are ill."""

_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Both runs, of one seed."""

    well: Played
    ill: Played

    def of_fault(self, name: str) -> tuple[LoadResult, LoadResult]:
        """Return what the pair of a fault has answered while it was ill, and the same requests of the other run."""
        return _of_pair(self.ill, name), _of_pair(self.well, name)


def trouble_on(ground: Ground) -> Trouble:
    """Play both runs, or return what they have left."""
    models = tuple(pair.model for pair in ground.house.pairs.values())
    profile, model = over_models(ground.profile("faults"), models), models[0]
    well = ground.once(replace(profile, name="faults-none"), model)
    ill = ground.once(profile, model, lambda run: _break(ground, profile, run))
    return Trouble(well, ill)


def _of_pair(played: Played, name: str) -> LoadResult:
    duration_s = played.recording.header.duration_s
    return played.within(ILL_FROM * duration_s, ILL_TO * duration_s).by_model()[f"load-{name}"]


def _break(ground: Ground, profile: Profile, run: LoadRun) -> Meantime:
    """Hold all first providers in their faults for a while, and listen to what the gateway tells of them."""
    begin_s, end_s = (share * profile.duration_s for share in (ILL_FROM, ILL_TO))
    told = defaultdict[str, set[str]](set)
    run.wait_until(begin_s)
    with ExitStack() as faults:
        for name, step in FAULTS.items():
            faults.enter_context(ground.house.pairs[name].ill(step))
        at_s = begin_s
        while at_s < end_s:
            at_s = min(at_s + _LOOK_EVERY_S, end_s)
            run.wait_until(at_s)
            _listen(ground.gateway, told)
    bands = (
        Band(name=name, where=pair.first_name, begin_s=begin_s, end_s=end_s)
        for name, pair in ground.house.pairs.items()
    )
    return Meantime(tuple(bands), {provider: frozenset(reasons) for provider, reasons in told.items()})


def _listen(gateway: Connection, told: dict[str, set[str]]) -> None:
    """Add what the gateway says against each provider: how it is listed, and why others were asked in its stead."""
    for entry in gateway.user.get("/api/v1/providers").field("providers"):
        said = {f"left alone: {each['reason_code']}" for each in entry["left_alone"]}
        if entry["connection_status"] not in {"connected", "unknown"}:
            said.add(entry["connection_status"])
        told[entry["name"]] |= said
    for fallback in gateway.user.get("/api/v1/governance/status").field("recent_fallbacks"):
        told[fallback["from_provider"]].add(f"replaced: {fallback['reason_code']}")
