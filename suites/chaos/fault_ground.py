"""Where faults are tried: one gateway before a lane for each case, and links wherever a fault lies on the way."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from urllib.parse import urlsplit

from fixtures.bounded import Bounds, open_http
from fixtures.client import GatewayClient
from fixtures.faults import ControlError, Link, Proxies
from fixtures.simulators.journal import Call
from fixtures.simulators.protocol import Plan
from fixtures.simulators.server import SimulatedProvider, SimulatorServer
from fixtures.simulators.step_data import Entry
from fixtures.simulators.steps import Chain, Say, Scene
from fixtures.simulators.text import Reply
from fixtures.stage import Connection
from fixtures.targets.protocol import Change, Registry, RunningTarget
from suites.chaos.fault_table import Case
from suites.chaos.lanes import Track, change_for
from suites.chaos.rerouting import host_of, reroute

PROBE_INTERVAL_S = 0.25
RESILIENCE = {"breaker": {"probe_interval_s": PROBE_INTERVAL_S}, "health_checks": {"enabled": False}}

PATIENCE_S = 1.0
"""How long a caller behind a link waits in silence before it gives up."""

TOKENS = tuple(f"token{number} " for number in range(90))
"""What the first provider says: so long that a fault can lie in its midst in every dialect."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Says that, a whole answer in as many pieces as it has tokens, so that a fault finds its place there too."""

    def alter(self, plan: Plan, scene: Scene) -> Plan:
        return Say(Reply(tokens=TOKENS)).alter(plan, scene).divided()


SAID = Speak()

NOWHERE = "provider.invalid:80"
"""A host that no resolver knows: the domain is reserved for that by RFC 2606."""


@dataclass(frozen=True, slots=True)
class Site:
    """The lane of one case, with a link to each provider that its fault may hit, by the provider's place."""

    case: Case
    track: Track
    links: Mapping[int, Link]

    @classmethod
    def lay(cls, case: Case, simulators: SimulatorServer, proxies: Proxies, name: str) -> "Site":
        """Lay the lane in a world of its own, so that its journal holds nothing else."""
        track = Track.lay(simulators.world(f"faults-{name}"), case.id, case.wish)
        on_the_way = case.row.where == "provider" and case.row.address is None
        links = {
            place: _link(proxies, host_of(track.providers[place - 1].base_url), f"{case.id}-{place}")
            for place in (case.row.places if on_the_way else ())
        }
        site = cls(case, track, links)
        site.heal()
        return site

    def add_to(self, registry: Registry) -> None:
        """Let a gateway that has the lane reach its providers as the case wants it."""
        for place, link in self.links.items():
            reroute(registry, self.track.providers[place - 1].name, link.address)
        first = registry["providers"][self.track.providers[0].name]
        if first["vendor"] == "bedrock":  # the key of the lanes is no pair that signs
            first["bearer_env"] = first.pop("api_key_env")
        match self.case.row.address:
            case "unknown":
                reroute(registry, self.track.providers[0].name, NOWHERE)
            case "not TLS":
                first["base_url"] = urlsplit(first["base_url"])._replace(scheme="https").geturl()

    def heal(self) -> None:
        """Let every provider be well; the first one says what it always does."""
        for provider in self.track.providers:
            provider.heal()
        self.track.providers[0].always(SAID, for_="chat")

    def spoil(self, place: int, entries: Sequence[Entry]) -> None:
        """Let the provider at a place take these steps until it is healed."""
        for entry in entries:
            speaks = place == 1 and entry.for_ != "any"
            replace(entry, step=Chain(SAID, entry.step) if speaks else entry.step).give(self._provider(place))

    def texts(self, question: str) -> tuple[str, ...]:
        """Return what each provider says to a question."""
        messages = [{"role": "user", "content": question}]
        others = (
            provider.answer_to({"model": model, "messages": messages})
            for provider, model in zip(self.track.providers[1:], self.track.upstream_models[1:], strict=True)
        )
        return ("".join(TOKENS), *others)

    @property
    def struck(self) -> list[str]:
        """The names of the providers that the fault hits."""
        return [self._provider(place).name for place in self.case.row.places]

    def calls(self) -> list[Call]:
        """Return the calls for chat so far."""
        return [call for call in self.track.world.journal.kept() if call.kind_of_call == "chat"]

    def _provider(self, place: int) -> SimulatedProvider:
        return self.track.providers[place - 1]


@dataclass(frozen=True, slots=True)
class Ground:
    """The gateway, and the sites by the ids of their cases."""

    target: RunningTarget
    sites: Mapping[str, Site]
    proxies: Proxies


@dataclass(frozen=True, slots=True)
class Builder:
    """Lays sites and starts gateways before them."""

    start: Callable[[Change], AbstractContextManager[RunningTarget]]
    simulators: SimulatorServer
    proxies: Proxies

    @contextmanager
    def build(self, cases: Iterable[Case], name: str = "") -> Iterator[Ground]:
        """Yield a ground with a site for each case; `name` tells its worlds from those of other grounds."""
        with ExitStack() as stack:
            sites = {}
            for case in cases:
                sites[case.id] = Site.lay(case, self.simulators, self.proxies, f"{case.id}{name}")
                for link in sites[case.id].links.values():
                    stack.callback(link.delete)
            target = stack.enter_context(self.start(_change_before(sites.values())))
            yield Ground(target, sites, self.proxies)


def _change_before(sites: Iterable[Site]) -> Change:
    """Return the change by which a gateway stands before these sites."""
    laid = list(sites)
    change = change_for([site.track for site in laid], RESILIENCE)

    def configure(registry: Registry) -> None:
        change.registry(registry)
        for site in laid:
            site.add_to(registry)

    return Change(registry=configure, environment=change.environment)


def _link(proxies: Proxies, upstream: str, name: str) -> Link:
    """Return a link that has the same name in each run: what a proxy draws by chance follows from the seed and that."""
    try:
        return proxies.create(upstream, name)
    except ControlError as error:
        if error.status != HTTPStatus.CONFLICT:
            raise
        return proxies.create(
            upstream
        )  # another process uses the same proxy, which was started by somebody else


@contextmanager
def caller_through(link: Link, gateway: Connection) -> Iterator[GatewayClient]:
    """Yield a caller whose connection, a new one, leads through a link."""
    bounds = Bounds(PATIENCE_S)
    with open_http(bounds, base_url=f"http://{link.address}", verify=False) as http:
        yield GatewayClient(http, gateway.notes.transcript, gateway.target.keys.user)
