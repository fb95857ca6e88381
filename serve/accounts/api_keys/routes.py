"""`/v1/keys`: a signed-in user makes, sees, changes, rotates and revokes API keys."""

from __future__ import annotations

from datetime import datetime

from fastapi import Response

from billing.api_keys.actions import change_key, end_key, make_key, rotate_key
from billing.api_keys.queries import KeyPlace, fetch_key, fetch_keys
from billing.api_keys.values import KeyChanges, KeyRecord, NewKey
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.api_keys.wire import (
    KeyPatch,
    KeyRequest,
    KeyView,
    NewKeyView,
    RotationRequest,
    view,
    view_new,
)
from serve.accounts.requests import (
    NewId,
    Page,
    PageDependency,
    bad_cursor,
    encode_cursor,
    mark_created,
)
from serve.accounts.services import ServicesDependency
from serve.refusals import Code, Fault, Refusal
from serve.wire import problem_responses, to_utc

router = make_router(Access.USER, "keys")

_ROUTE = "/accounts/v1/keys"


@router.post(
    "/keys",
    status_code=201,
    summary="Make a key",
    responses=problem_responses(401, 403, 409, 422, 503),
)
async def create_key(
    body: KeyRequest,
    request_id: NewId,
    services: ServicesDependency,
    caller: CallerDependency,
    response: Response,
) -> NewKeyView:
    """The whole key is in this answer alone: a repeated request gets 409, not another key."""
    now = services.now()
    _require_future("/expires_at", body.expires_at, now)
    caps = {period: cap for period, cap in body.caps.chosen().items() if cap is not None}
    api_key = await make_key(
        services.database,
        services.billing.key_hash_secret,
        caller.account_id,
        request_id,
        NewKey(body.name, body.scopes, body.expires_at, caps),
        live_keys_max=services.settings.account_keys_max,
        now=now,
    )
    mark_created(response, f"{_ROUTE}/{api_key.id}")
    _keep_from_caches(response)
    key = await fetch_key(services.database, caller.account_id, api_key.id)
    return view_new(key, api_key.reveal())


@router.get("/keys", summary="Keys", responses=problem_responses(401, 403, 422, 503))
async def list_keys(
    services: ServicesDependency, caller: CallerDependency, page: PageDependency
) -> Page[KeyView]:
    """The newest first, those that ended included; caps with what was spent in this period."""
    keys = await fetch_keys(
        services.database, caller.account_id, limit=page.limit + 1, after=_place(page.after)
    )
    shown = keys[: page.limit]
    return Page(
        items=[view(key) for key in shown],
        next_cursor=_cursor(shown[-1]) if len(keys) > page.limit else None,
    )


@router.get("/keys/{id}", summary="A key", responses=problem_responses(401, 403, 404, 503))
async def read_key(id: str, services: ServicesDependency, caller: CallerDependency) -> KeyView:  # noqa: A002
    """A key of one's own, without its secret."""
    return view(await fetch_key(services.database, caller.account_id, id))


@router.patch(
    "/keys/{id}",
    summary="Rename a key, change its expiry or its caps",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def patch_key(
    id: str,  # noqa: A002
    body: KeyPatch,
    services: ServicesDependency,
    caller: CallerDependency,
) -> KeyView:
    """Scopes stay as they were made. A key that has ended cannot be changed."""
    now = services.now()
    _require_future("/expires_at", body.expires_at, now)
    changes = KeyChanges(
        name=body.name,
        sets_expiry="expires_at" in body.model_fields_set,
        expires_at=body.expires_at,
        caps=body.caps.chosen(),
    )
    return view(await change_key(services.database, caller.account_id, id, changes, now))


@router.post(
    "/keys/{id}/rotate",
    status_code=201,
    summary="Replace a key",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def rotate(
    *,
    id: str,  # noqa: A002
    request_id: NewId,
    services: ServicesDependency,
    caller: CallerDependency,
    response: Response,
    body: RotationRequest | None = None,
) -> NewKeyView:
    """A second live key that may do the same and shares its caps; then revoke the old one."""
    body, now = body or RotationRequest(), services.now()
    _require_future("/expires_at", body.expires_at, now)
    _require_future("/old_expires_at", body.old_expires_at, now)
    api_key = await rotate_key(
        services.database,
        services.billing.key_hash_secret,
        caller.account_id,
        id,
        request_id,
        expires_at=body.expires_at,
        old_expires_at=body.old_expires_at,
        live_keys_max=services.settings.account_keys_max,
        now=now,
    )
    mark_created(response, f"{_ROUTE}/{api_key.id}")
    _keep_from_caches(response)
    key = await fetch_key(services.database, caller.account_id, api_key.id)
    return view_new(key, api_key.reveal())


@router.delete(
    "/keys/{id}",
    status_code=204,
    summary="Revoke a key",
    responses=problem_responses(401, 403, 404, 503),
)
async def revoke_key(id: str, services: ServicesDependency, caller: CallerDependency) -> None:  # noqa: A002
    """Every replica refuses it within a second; for ever."""
    await end_key(services.database, caller.account_id, id)


def _keep_from_caches(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"


def _require_future(pointer: str, moment: datetime | None, now: datetime) -> None:
    if moment is not None and moment <= now:
        fault = Fault(pointer, "A time to come; to end a key now, DELETE it.")
        raise Refusal(
            Code.INVALID_REQUEST,
            "The request is not as it should be; see `errors`.",
            None,
            (fault,),
        )


def _cursor(key: KeyRecord) -> str:
    return encode_cursor(key.created_at, key.id)


def _place(after: list[object] | None) -> KeyPlace | None:
    if after is None:
        return None
    match after:
        case [str(created_at), str(key_id)] if "\0" not in key_id:
            try:
                return KeyPlace(to_utc(datetime.fromisoformat(created_at)), key_id)
            except ValueError:
                raise bad_cursor() from None
    raise bad_cursor()
