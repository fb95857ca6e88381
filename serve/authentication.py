"""Who asks: API keys looked up in a bounded cache that a revocation empties at once, and sessions.

A session is looked up for each request: it is a person's in front of a page, and one that was ended
is refused at once. It comes as a bearer token alone, never as a cookie, which a browser would send
along with what another site makes it ask.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from billing.api_keys.values import Scope
from billing.keys import parse_key
from billing.principal import Principal
from billing.sessions.values import TOKEN_PREFIX, Lifetimes
from serve.bounded import BoundedDict
from serve.ports import AccountBook
from serve.refusals import Code, Refusal

_SCHEME = "bearer"
_KEYS_MAX = 20_000
"""Keys remembered by a replica: about 10 MB."""


def _now() -> datetime:
    return datetime.now(UTC)


class Authenticator:
    """Turns an `Authorization` header into a Principal.

    The cache is trusted only while revocations are heard. While they are not, every request asks
    the database, so that a revoked key is never let in by an old entry.
    """

    def __init__(
        self,
        accounts: AccountBook,
        lifetimes: Lifetimes,
        keys_max: int = _KEYS_MAX,
        now: Callable[[], datetime] = _now,
    ) -> None:
        """`lifetimes` are those of sessions."""
        self._accounts = accounts
        self._lifetimes = lifetimes
        self._now = now
        self._principals: BoundedDict[str, Principal] = BoundedDict(keys_max)
        self._hears_revocations = False
        self._revocations = 0

    async def authenticate(self, authorization: str | None) -> Principal:
        """The account behind the header; raises a Refusal with UNAUTHENTICATED otherwise."""
        principal = self._principals.get(authorization) if authorization else None
        if principal is None:
            principal = await self._look_up(authorization)
        if principal.expires_at is not None and principal.is_expired(self._now()):
            raise _refused("This API key has expired.")
        return principal

    def revocations_heard(self) -> None:
        """From now on revocations arrive: what is looked up may be remembered."""
        self._hears_revocations = True

    def revocations_lost(self) -> None:
        """The connection that brings revocations is gone: nothing remembered can be trusted."""
        self._hears_revocations = False
        self._forget()

    def changed(self, key_id: str) -> None:
        """Forget one key, revoked or otherwise changed. Look-ups under way are not
        remembered: they may have read too early.
        """
        self._forget(key_id)

    def _forget(self, key_id: str | None = None) -> None:
        self._revocations += 1
        for header, principal in list(self._principals.items()):
            if key_id in (None, principal.key_id):
                del self._principals[header]

    async def _look_up(self, authorization: str | None) -> Principal:
        if not authorization:
            raise _refused(
                "Send your API key or a session's token as `Authorization: Bearer fb_live_...` "
                "or `Bearer fb_sess_...`."
            )
        scheme, _, text = authorization.partition(" ")
        text = text.strip() if scheme.lower() == _SCHEME else ""
        if text.startswith(TOKEN_PREFIX):
            return await self._look_up_session(text)
        key = parse_key(text)
        if key is None:
            raise _refused(
                "The Authorization header holds neither a well-formed API key, "
                "`Bearer fb_live_<id>_<secret>_<checksum>`, nor a session's token, "
                "`Bearer fb_sess_...`. Was it cut when it was copied?"
            )
        revocations = self._revocations
        principal = await self._accounts.fetch_principal(key)
        if principal is None:
            raise _refused("This API key is unknown or was revoked.")
        if self._hears_revocations and revocations == self._revocations:
            self._principals[authorization] = principal
        return principal

    async def _look_up_session(self, token: str) -> Principal:
        principal = await self._accounts.fetch_session_principal(
            token, lifetimes=self._lifetimes, now=self._now()
        )
        if principal is None:
            raise _refused(
                "This session has ended, or its token was cut when it was copied. Sign in again "
                "with POST /accounts/v1/sessions."
            )
        return principal


def require_scope(principal: Principal, scope: Scope) -> None:
    """Raise a Refusal with SCOPE_MISSING where the key may not be used for that."""
    if scope not in principal.scopes:
        raise Refusal(
            Code.SCOPE_MISSING,
            f"This API key may not be used for this: it lacks the scope `{scope}`.",
        )


def _refused(detail: str) -> Refusal:
    return Refusal(Code.UNAUTHENTICATED, detail)
