"""Keys as clients see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from billing.api_keys.values import ALL_SCOPES, CapState, KeyRecord, Period, Scope
from billing.credits import ZERO, Credits
from serve.wire import Amount, Moment, Wire


def _not_negative(amount: Credits) -> Credits:
    if amount < ZERO:
        raise ValueError("a cap is zero or more")
    return amount


KeyName = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
CapAmount = Annotated[Amount, AfterValidator(_not_negative)]
Expiry = Annotated[Moment | None, Field(description="From then on the key is refused; null: never")]


class Caps(Wire):
    """The most that a key, and those it is rotated with, may spend. Days and months are UTC's."""

    day: CapAmount | None = None
    month: CapAmount | None = None
    total: CapAmount | None = None

    def chosen(self) -> dict[Period, Credits | None]:
        """What was sent; null stands for "no cap"."""
        return {Period(name): getattr(self, name) for name in self.model_fields_set}


class KeyRequest(Wire):
    """A key to be made."""

    name: KeyName
    scopes: frozenset[Scope] = Field(
        default=ALL_SCOPES, min_length=1, description="`score`: predict and pay; `read`: look"
    )
    expires_at: Expiry = None
    caps: Caps = Caps()


class KeyPatch(Wire):
    """What is to be different; what is left out stays as it is."""

    name: KeyName | None = None
    expires_at: Expiry = None
    caps: Caps = Field(
        default=Caps(),
        description="Of the key and those it is rotated with. null lifts a cap, and forgets what "
        "was spent under it; a new cap counts from now on",
    )


class RotationRequest(Wire):
    """How a key is to be replaced."""

    expires_at: Moment | None = Field(
        default=None, description="The new key's; left out: that of the old one"
    )
    old_expires_at: Moment | None = Field(
        default=None, description="The old key ends then by itself; left out: when it is revoked"
    )


class CapView(Wire):
    """A cap, and what was spent of it in the period of now."""

    cap: Amount
    spent: Amount


class CapsView(Wire):
    """Null: no cap."""

    day: CapView | None
    month: CapView | None
    total: CapView | None


class KeyView(Wire):
    """A key without its secret."""

    id: str = Field(description="The public part of the key")
    lineage_id: str = Field(description="Keys that were rotated one into the other have it alike")
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute")
    caps: CapsView


class NewKeyView(KeyView):
    """A key that was made just now."""

    key: str = Field(
        description="The whole key, shown this once", examples=["fb_live_<id>_<secret>_<checksum>"]
    )


def view(key: KeyRecord) -> KeyView:
    """As clients see it."""
    return KeyView(**_members(key))


def view_new(key: KeyRecord, whole_key: str) -> NewKeyView:
    """As its owner sees it once."""
    return NewKeyView(**_members(key), key=whole_key)


def _members(key: KeyRecord) -> dict[str, object]:
    return {
        "id": key.id,
        "lineage_id": key.lineage_id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "caps": _caps_view(key.caps),
    }


def _caps_view(caps: Mapping[Period, CapState]) -> CapsView:
    shown = {
        period: CapView(cap=state.cap, spent=state.spent) if (state := caps.get(period)) else None
        for period in Period
    }
    return CapsView(day=shown[Period.DAY], month=shown[Period.MONTH], total=shown[Period.TOTAL])
