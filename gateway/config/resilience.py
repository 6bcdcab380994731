"""How the gateway copes with providers that fail: what is configured, with defaults that an operator would keep."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
SecondsOrZero = Annotated[float, Field(ge=0, le=86_400)]

Rescue = Literal["auto", "off", "replay", "continue", "hold"]
"""What becomes of a stream that breaks after the caller has seen some of it.

`off`: an error event ends it. `replay`: the next target is asked from the start, and spliced in where its answer
begins with exactly what was delivered. `continue`: the next target that can is asked to go on. `hold`: nothing is
delivered before all of it is there. `auto`: replay where the next target serves the same model and the request is
deterministic, off elsewhere.
"""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Triggers(_Frozen):
    """Which failures let the next of the chain be asked; a failure whose trigger is off is the caller's answer.

    `timeout`: a wait was exceeded. `auth`: the key was rejected. `budget`: the account is spent. `degraded`: answers
    that are errors, broken or unreadable. `offline`: no connection. `rate`: too many requests.
    """

    timeout: bool = True
    auth: bool = True
    budget: bool = True
    degraded: bool = True
    offline: bool = True
    rate: bool = True


class Retries(_Frozen):
    """How often the same target is asked again before the next one, and how long is waited in between.

    The wait doubles from `backoff_s` up to `max_backoff_s`, and is shortened at random by up to the share `jitter`.
    What the provider asks to wait takes its place, up to `max_wait_s`: beyond that the target is not asked again.
    """

    attempts: Annotated[int, Field(ge=0, le=10)] = 0
    backoff_s: Seconds = 0.5
    max_backoff_s: Seconds = 8
    jitter: Share = 0.5
    max_wait_s: SecondsOrZero = 60


class BreakerSettings(_Frozen):
    """When a target is left alone, and how it comes back.

    `enabled`: whether one ever is. It is after `failures` in a row, or once the share `failure_rate` of at least
    `min_requests` within `window_s` has failed. It is then probed every `probe_interval_s`; after trials that made
    their callers wait the pause grows, up to `max_hold_s`.
    """

    enabled: bool = True
    failures: Annotated[int, Field(ge=1, le=1000)] = 3
    failure_rate: Annotated[float, Field(gt=0, le=1)] = 0.5
    min_requests: Annotated[int, Field(ge=1, le=100_000)] = 10
    window_s: Seconds = 60
    probe_interval_s: Seconds = 5
    max_hold_s: Seconds = 60


class HealthChecks(_Frozen):
    """How often every active provider is probed, by a call that costs no tokens.

    After `failures` failed probes in a row it counts as offline until one succeeds.
    """

    enabled: bool = True
    interval_s: Seconds = 30
    timeout_s: Seconds = 5
    failures: Annotated[int, Field(ge=1, le=100)] = 2


class Resilience(_Frozen):
    """The settings that hold for every request unless its chain has its own.

    `hedge_after_s`: the next of the chain is asked too when the first content has not come after so long; None: never.
    `fallback_order`: the providers that are asked, in this order, when a model's own chain is at its end.
    """

    triggers: Triggers = Triggers()
    retries: Retries = Retries()
    breaker: BreakerSettings = BreakerSettings()
    health_checks: HealthChecks = HealthChecks()
    rescue: Rescue = "auto"
    hedge_after_s: Seconds | None = None
    fallback_order: Annotated[tuple[str, ...], Field(strict=False)] = ()


class Chain(_Frozen):
    """What is done for the requests for one model: who answers when it cannot, and how that is gone about."""

    fallbacks: tuple[str, ...] = ()
    triggers: Triggers = Triggers()
    retries: Retries = Retries()
    rescue: Rescue = "auto"
    hedge_after_s: Seconds | None = None
