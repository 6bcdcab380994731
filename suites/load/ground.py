"""Where load is tried: one gateway, profiles that are played against it once, and what each of them has left."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil
import pytest

from fixtures.capabilities import NotExercisedError, NotRunError
from fixtures.load.locust_run import LoadRun
from fixtures.load.profile import Profile
from fixtures.load.recording import Recording
from fixtures.load.result import LoadResult
from fixtures.load.voices import Speaker, Voices
from fixtures.resources import Sample, Sampler
from fixtures.resources.host import read_host
from fixtures.resources.host_use import HostUse
from fixtures.resources.pace import pace_ms
from fixtures.stage import Connection
from fixtures.statistics import InconclusiveError
from reports.observations import Band
from suites.load.house import House

OWN_MODELS = "load-"
"""How the names of the models begin that the load suite itself has added."""

_TRIES = 2
"""How often a run is begun in which the generator was disturbed: a busy machine says nothing of the target."""

_EVERY_S = 0.25

_LOOKS = 40
"""How often the machine is timed, to find it undisturbed once."""


@dataclass(frozen=True, slots=True)
class Meantime:
    """What was done beside a run: the faults, and by provider what the gateway said against it."""

    bands: tuple[Band, ...] = ()
    told: Mapping[str, frozenset[str]] = field(default_factory=dict)


Beside = Callable[[LoadRun], Meantime]
"""What a test does beside a run; it returns before the run is over."""


def nothing(_run: LoadRun) -> Meantime:
    """Let a run go on undisturbed."""
    return Meantime()


@dataclass(frozen=True, slots=True)
class Played:
    """What a profile has left: the recording, what was done meanwhile, and what was taken of the machine.

    `samples` are of the gateway, none where the harness does not hold its process; `host` is the machine as a whole.
    `paces_ms` are how long a fixed piece of work took it before the run, and after it.
    """

    result: LoadResult
    host: HostUse
    samples: tuple[Sample, ...]
    meantime: Meantime
    paces_ms: tuple[float, float]

    @property
    def recording(self) -> Recording:
        return self.result.recording

    @property
    def samples_under_load(self) -> tuple[Sample, ...]:
        """The samples from the first arrival to the last end: before and after it the gateway rests."""
        begun_s = self.recording.header.started_monotonic_s
        ended_s = begun_s + max((record.ended_s for record in self.recording.records), default=0.0)
        return tuple(sample for sample in self.samples if begun_s <= sample.at_s <= ended_s)

    def within(self, from_s: float, to_s: float) -> LoadResult:
        """Return what a part of the run says."""
        return LoadResult.of(self.recording, within=(from_s, to_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What the tests of one session share: profiles, the place of recordings, and what has been played already."""

    extent: str
    profiles: Mapping[str, Profile]
    folder: Path
    baseline: Path
    seed: int
    house: House | None
    played: dict[str, Played] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ground:
    """A gateway under load as one test sees it."""

    gateway: Connection
    shelf: Shelf

    @property
    def house(self) -> House:
        """The providers behind the gateway; only for tests that need `configuration`."""
        assert self.shelf.house is not None
        return self.shelf.house

    def profile(self, name: str) -> Profile:
        return self.shelf.profiles[name]

    def models(self) -> tuple[str, ...]:
        """Return the models that the gateway has anyway; where it shows none the test is NOT RUN."""
        models = tuple(model for model in self.gateway.target.models if not model.startswith(OWN_MODELS))
        if not models:
            pytest.skip("NOT RUN: the target lists no model; --target-model names those that may be asked")
        return models

    def model(self, wanted: str) -> str:
        """Return this model, or the first that there is where the gateway is not ours to configure."""
        return wanted if wanted in self.gateway.target.models else self.models()[0]

    def once(self, profile: Profile, model: str, beside: Beside = nothing) -> Played:
        """Return what a profile leaves, played when it is first asked for; a disturbed generator has a second try."""
        played = self.shelf.played
        if profile.name not in played:
            for _try in range(_TRIES):
                played[profile.name] = self.play(profile, model, beside)
                if _is_truthful(played[profile.name].result):
                    break
        return played[profile.name]

    def play(self, profile: Profile, model: str, beside: Beside = nothing) -> Played:
        """Play a profile to its end, and do something beside it."""
        target = self.gateway.target
        if not target.url.startswith("http://"):
            raise NotRunError(
                "the load generator speaks plain http, as encryption would be measured along: give it such an address"
            )
        folder = self.shelf.folder / profile.name
        shutil.rmtree(folder, ignore_errors=True)
        run = LoadRun(
            profile,
            base_url=target.url,
            key=target.keys.user,
            model=model,
            folder=folder,
            seed=self.shelf.seed,
            voices=self._voices(sorted({mix.model or model for mix in profile.mix})),
        )
        fresh_ms, before = pace_ms(_LOOKS), read_host(self.shelf.folder)
        with self._watched() as samples, run:
            meantime = beside(run)
            recording = run.result()
        taken, host = samples(), HostUse.between(before, read_host(self.shelf.folder))
        recording = replace(recording, bands=meantime.bands, samples=tuple(asdict(each) for each in taken))
        assert run.recorded_in is not None  # there is a recording
        recording.write_rest(run.recorded_in)
        return Played(LoadResult.of(recording), host, taken, meantime, (fresh_ms, pace_ms(_LOOKS)))

    def process(self) -> psutil.Process:
        """Return the gateway's process.

        Raises:
            NotExercisedError: the harness does not hold it.

        """
        pid = self.gateway.target.pid
        if pid is None:
            raise NotExercisedError("the harness does not hold the target's process")
        return psutil.Process(pid)

    @contextmanager
    def _watched(self) -> Iterator[Callable[[], tuple[Sample, ...]]]:
        pid = self.gateway.target.pid
        if pid is None:
            yield tuple
            return
        with Sampler(pid, every_s=_EVERY_S) as sampler:
            yield lambda: sampler.samples

    def _voices(self, models: Iterable[str]) -> Voices | None:
        """Return who may answer for these models; None where the providers are not ours."""
        if not self.gateway.target.providers:
            return None
        return Voices(
            self.shelf.seed, tuple(speaker for model in models for speaker in self._speakers_for(model))
        )

    def _speakers_for(self, model: str) -> Iterator[Speaker]:
        target = self.gateway.target
        for name in (model, *target.chains.get(model, ())):
            provider = target.models.get(name)
            if provider in target.providers:
                yield Speaker(str(provider), name)
        yield from self.shelf.house.speakers_for(model) if self.shelf.house else ()


def _is_truthful(result: LoadResult) -> bool:
    try:
        result.require_truthful()
    except InconclusiveError:
        return False
    return True
