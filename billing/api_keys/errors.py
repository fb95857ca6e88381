"""What keys refuse."""

from __future__ import annotations

from billing.errors import BillingError


class KeyMissing(BillingError):
    """The account has no such key."""

    code = "key_missing"


class KeyEnded(BillingError):
    """The key was revoked or has expired: it cannot be changed or rotated any more."""

    code = "key_ended"


class KeyAlreadyMade(BillingError):
    """An earlier, equal request made the key; its secret cannot be shown again."""

    code = "key_already_made"


class RotationUnderWay(BillingError):
    """Two keys of the lineage are live already."""

    code = "rotation_under_way"


class TooManyKeys(BillingError):
    """The account has as many live keys as it may."""

    code = "too_many_keys"
