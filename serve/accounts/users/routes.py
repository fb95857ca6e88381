"""`/v1/users`, `/v1/me`: sign up, see and change oneself, be given a role."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import Query, Request, Response

from billing.users.changing import change_password
from billing.users.closing import close_account
from billing.users.errors import PasswordWrong, UserMissing
from billing.users.queries import fetch_credentials, fetch_user, fetch_users
from billing.users.roles import set_role
from billing.users.signing_up import create_user
from billing.users.values import Credentials, canonical_address, check_new_password
from serve.accounts.access import Access, Caller, CallerDependency, make_router
from serve.accounts.requests import (
    Page,
    PageDependency,
    encode_cursor,
    mark_created,
    uuid_after,
)
from serve.accounts.services import Services, ServicesDependency
from serve.accounts.sessions.routes import clear_cookie
from serve.accounts.users.wire import (
    AccountDeletion,
    EmailAddress,
    PasswordChange,
    RoleChange,
    SignUp,
    UserView,
)
from serve.wire import problem_responses

public_router = make_router(Access.PUBLIC, "users")
read_router = make_router(Access.READ, "users")
router = make_router(Access.USER, "users")
operator_router = make_router(Access.OPERATOR, "users")
admin_router = make_router(Access.ADMIN, "users")


@public_router.post(
    "/users",
    status_code=201,
    summary="Sign up",
    responses=problem_responses(409, 422, 429, 503),
)
async def sign_up(
    body: SignUp, request: Request, response: Response, services: ServicesDependency
) -> UserView:
    """An account of one's own, with welcome credits for a new address.

    Where the product sends mail, they come once the link in it was followed.
    """
    password = body.password.get_secret_value()
    check_new_password(password, body.email)
    now = services.now()
    address = services.throttles.client_address(request)
    services.throttles.sign_up.attempt(canonical_address(body.email), address, now)
    user = await create_user(
        services.database,
        body.email,
        await services.passwords.hash(password),
        welcome=services.welcome,
        links=services.settings.mail_links,
        now=now,
    )
    mark_created(response, "/accounts/v1/me")
    return UserView.of(user)


@read_router.get("/me", summary="Who one is", responses=problem_responses(401, 403, 404, 503))
async def read_me(services: ServicesDependency, caller: CallerDependency) -> UserView:
    """404 for the key of an account that nobody signs in to."""
    return UserView.of(await fetch_user(services.database, caller.account_id))


@router.put(
    "/me/password",
    status_code=204,
    summary="Change the password",
    responses=problem_responses(401, 403, 422, 429, 503),
)
async def put_password(
    body: PasswordChange,
    request: Request,
    services: ServicesDependency,
    caller: CallerDependency,
) -> None:
    """All other sessions end."""
    credentials = await _check_password(
        services, request, caller, body.current_password.get_secret_value()
    )
    new_password = body.new_password.get_secret_value()
    check_new_password(new_password, credentials.email)
    await change_password(
        services.database,
        caller.account_id,
        verified_hash=credentials.password_hash,
        new_hash=await services.passwords.hash(new_password),
        kept_session_id=caller.session_id,
    )


@router.delete(
    "/me",
    status_code=204,
    summary="Delete the account",
    responses=problem_responses(401, 403, 409, 422, 429, 503),
)
async def delete_me(
    body: AccountDeletion,
    request: Request,
    response: Response,
    services: ServicesDependency,
    caller: CallerDependency,
) -> None:
    """What is personal is deleted, keys end, and the credits that are left are lost.

    The entries stay, under the account's id alone.
    """
    credentials = await _check_password(services, request, caller, body.password.get_secret_value())
    await close_account(
        services.database,
        caller.account_id,
        verified_hash=credentials.password_hash,
        forfeited=body.forfeit_credits,
        now=services.now(),
    )
    clear_cookie(response)


@operator_router.get(
    "/users", summary="Find users", responses=problem_responses(401, 403, 422, 503)
)
async def list_users(
    services: ServicesDependency,
    page: PageDependency,
    email: Annotated[EmailAddress | None, Query(description="The whole address")] = None,
) -> Page[UserView]:
    """Newest first."""
    found = await fetch_users(
        services.database, email=email, before=uuid_after(page), rows_max=page.limit + 1
    )
    shown = found[: page.limit]
    cursor = encode_cursor(shown[-1].account_id) if len(found) > page.limit else None
    return Page(items=[UserView.of(user) for user in shown], next_cursor=cursor)


@admin_router.put(
    "/users/{account_id}/role",
    summary="Give a role",
    responses=problem_responses(401, 403, 404, 409, 422, 503),
)
async def put_role(
    account_id: uuid.UUID,
    body: RoleChange,
    services: ServicesDependency,
    caller: CallerDependency,
) -> UserView:
    """At once, in all of the user's sessions. The last admin stays one."""
    return UserView.of(await set_role(services.database, account_id, body.role, actor=caller.actor))


async def _check_password(
    services: Services, request: Request, caller: Caller, password: str
) -> Credentials:
    """A stolen session is not enough; guessing is throttled as at the sign-in."""
    credentials = await fetch_credentials(services.database, account_id=caller.account_id)
    if credentials is None:
        raise UserMissing("the user was deleted meanwhile")
    throttle, address = services.throttles.sign_in, services.throttles.client_address(request)
    throttle.attempt(credentials.email, address, services.now())
    if not await services.passwords.verify(password, credentials.password_hash):
        raise PasswordWrong("the password is another")
    throttle.forgive(credentials.email)
    return credentials
