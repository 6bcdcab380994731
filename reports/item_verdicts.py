"""The verdict of the evidence on every single item of the catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reports.catalogue_files import Kind
from reports.checklists import Catalogue, Item
from reports.evidence import Outcome
from reports.proof import Proof, prove
from reports.release import Attestation, Release
from reports.release_file import Waiver
from reports.runs import Evidence
from reports.states import State, add_up, state_of
from reports.testimony import Testimony, Voice, Witnesses
from reports.waivers import Waivers, describe


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemVerdict:
    """The state of one item and what led to it.

    `reason` is one line, empty where there is nothing to say; `accepted` gives for each failing source
    the waivers that accept it today; `attestations` are the signatures that speak for an attest item.
    """

    item: Item
    state: State
    in_scope: bool
    reason: str
    testimony: Testimony
    proof: Proof
    accepted: Mapping[str, tuple[Waiver, ...]] = field(default_factory=dict)
    attestations: tuple[Attestation, ...] = ()

    @property
    def waivers(self) -> tuple[Waiver, ...]:
        """The waivers that accept a failure of this item today, each once."""
        return tuple(dict.fromkeys(waiver for found in self.accepted.values() for waiver in found))


def judge_items(
    catalogue: Catalogue, release: Release, evidence: Evidence, waivers: Waivers, witnesses: Witnesses
) -> tuple[ItemVerdict, ...]:
    """Return the verdict on every item, in the order of the catalogue."""
    judge = _Judge(release, evidence, waivers, witnesses)
    return tuple(
        judge.attested(item) if item.kind is Kind.ATTEST else judge.tested(item) for item in catalogue
    )


class _Judge:
    """Holds what is the same for all items while they are judged one by one."""

    def __init__(self, release: Release, evidence: Evidence, waivers: Waivers, witnesses: Witnesses) -> None:
        self._scope = frozenset(release.scope)
        self._attestations = tuple(
            each for each in release.attestations if each.signature.on <= waivers.today
        )
        self._kills = evidence.kills
        self._code_digests = frozenset(run.started.code_digest for run in evidence.runs)
        self._waivers = waivers
        self._witnesses = witnesses

    def tested(self, item: Item) -> ItemVerdict:
        testimony = self._witnesses.testimony(item)
        failing = testimony.sources(Outcome.FAIL)
        accepting = {source: self._waivers.accepting(item.id, source) for source in failing}
        said = [
            (state_of(voice.outcome, waived=bool(accepting.get(voice.source))), voice)
            for voice in testimony.voices
        ]
        state = add_up([each for each, voice in said if not voice.withheld] or [each for each, _ in said])
        return ItemVerdict(
            item=item,
            state=state,
            in_scope=item.id in self._scope,
            reason=describe(next(iter(accepting.values()))[0])
            if state is State.WAIVED
            else _reason(state, said),
            testimony=testimony,
            proof=prove(item, self._kills, self._code_digests),
            accepted=accepting,
        )

    def attested(self, item: Item) -> ItemVerdict:
        mine = tuple(each for each in self._attestations if item.id in each.items)
        said = (f"{each.signature.verdict} by {each.signature.name}, {each.signature.role}" for each in mine)
        return ItemVerdict(
            item=item,
            state=State.ATTEST,
            in_scope=item.id in self._scope,
            reason="; ".join(said) or "waits for a person's word",
            testimony=Testimony(),
            proof=prove(item, (), self._code_digests),
            attestations=mine,
        )


def _reason(state: State, said: Sequence[tuple[State, Voice]]) -> str:
    """Return why the state is what it is; of several voices the first one is quoted, and how many agree."""
    if state is State.NO_TEST:
        return "no test speaks for this item"
    if state is State.PASS:
        return _remark(said)
    agreeing = [voice for each, voice in said if each is state]
    first = agreeing[0].reason.strip().partition("\n")[0] or "no reason was given"
    return first if len(said) == 1 else f"{len(agreeing)} of {len(said)} tests: {first}"


def _remark(said: Sequence[tuple[State, Voice]]) -> str:
    """Return what an item that passes leaves open: tests for which target or harness lacks something."""
    unsupported = [voice for state, voice in said if state is State.UNSUPPORTED]
    withheld = [voice for _, voice in said if voice.withheld]
    left_open = (("unsupported", unsupported), ("not exercised", withheld))
    return "; ".join(
        f"{len(voices)} of {len(said)} tests {word}: {voices[0].reason.partition(chr(10))[0]}"
        for word, voices in left_open
        if voices
    )
