"""The shape of a release file as people write it."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator, model_validator

from reports.catalogue_files import ItemId, Text
from reports.documents import Entry

LONGEST_WAIVER = timedelta(days=180)

ItemRange = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[0-9]{3}(\.\.[A-Z]{2}-[0-9]{3})?$")]
"""One id, or a range with both its ends in it: `PL-008..PL-013`."""


class Judgement(StrEnum):
    """What a person says by signing."""

    APPROVED = "approved"
    REJECTED = "rejected"


class ScopeEntry(Entry):
    """A part of the scope: items, or a checklist, whole or by its sections."""

    items: tuple[ItemRange, ...] = ()
    checklist: str | None = None
    sections: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "ScopeEntry":
        if bool(self.items) == (self.checklist is not None):
            raise ValueError("give either items or a checklist")
        if self.items and self.sections:
            raise ValueError("sections are those of a checklist: name it")
        return self


class Waiver(Entry):
    """An accepted failure of one item, until it expires; `test` is a pattern that narrows it to node ids."""

    item: ItemId
    test: Text | None = None
    owner: Text
    approver: Text
    issue: Text
    reason: Text
    scope: Text
    added: date
    expires: date

    @model_validator(mode="after")
    def _is_bounded(self) -> "Waiver":
        if self.owner.casefold() == self.approver.casefold():
            raise ValueError(f"owner and approver are both {self.owner}: nobody waives for himself")
        if self.expires <= self.added:
            raise ValueError(f"expires {self.expires}, which is not after it was added on {self.added}")
        if self.expires - self.added > LONGEST_WAIVER:
            raise ValueError(
                f"lasts {(self.expires - self.added).days} days; {LONGEST_WAIVER.days} is the most"
            )
        return self


class Acknowledgement(Entry):
    """A warning that somebody has seen and accepts; `warning` is a pattern on its text."""

    warning: Text
    by: Text
    on: date
    reason: Text


class Signature(Entry):
    """A person's word for the release, and for the items that only a person can say."""

    role: Text
    name: Text
    on: date
    verdict: Judgement
    items: tuple[ItemRange, ...] = ()
    statement: Text


class SignOffEntry(Entry):
    """The roles that must sign, and what has been signed so far."""

    roles: Annotated[tuple[Text, ...], Field(min_length=1)]
    signatures: tuple[Signature, ...] = ()

    @field_validator("roles")
    @classmethod
    def _are_unlike(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(roles)) < len(roles):
            raise ValueError("names a role twice")
        return roles


class ReleaseFile(Entry):
    """What a release is judged by, what is accepted of it, and who signs it."""

    release: Text
    scope: tuple[ScopeEntry, ...]
    waivers: tuple[Waiver, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    sign_off: SignOffEntry
