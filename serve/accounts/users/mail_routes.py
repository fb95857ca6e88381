"""`/v1/email-verifications`, `/v1/password-resets`: what the links of mails lead to."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import HTMLResponse

from billing.users.changing import request_password_reset, reset_password
from billing.users.errors import LinkExpired
from billing.users.mails import MailLinks
from billing.users.queries import fetch_credentials, fetch_reset_email
from billing.users.signing_up import send_verification, verify_email
from billing.users.values import canonical_address, check_new_password
from serve.accounts.access import Access, CallerDependency, make_router
from serve.accounts.services import Services, ServicesDependency
from serve.accounts.users.pages import reset_page, verification_page
from serve.accounts.users.wire import (
    EmailVerification,
    ResetPassword,
    ResetRequest,
    Token,
    UserView,
)
from serve.refusals import Code, Refusal
from serve.wire import problem_responses

public_router = make_router(Access.PUBLIC, "users")
router = make_router(Access.USER, "users")

PathToken = Annotated[Token, Path()]


@public_router.post(
    "/email-verifications",
    summary="Verify an address",
    responses=problem_responses(410, 422, 503),
)
async def create_email_verification(
    body: EmailVerification, services: ServicesDependency
) -> UserView:
    """With the token of the mail, once. Welcome credits come now."""
    user = await verify_email(
        services.database, body.token, welcome=services.welcome, now=services.now()
    )
    return UserView.of(user)


@public_router.get(
    "/email-verifications/{token}",
    summary="The page behind a mail's link",
    response_class=HTMLResponse,
)
async def show_email_verification(token: PathToken) -> HTMLResponse:
    """With a button that verifies the address."""
    return verification_page()


@router.post(
    "/me/email-verifications",
    status_code=202,
    summary="Send the mail again",
    responses=problem_responses(401, 403, 404, 429, 503),
)
async def send_email_verification(
    request: Request, services: ServicesDependency, caller: CallerDependency
) -> None:
    """The link of the mail before works no longer. Nothing happens once it was followed."""
    links = _require_mail(services)
    credentials = await fetch_credentials(services.database, account_id=caller.account_id)
    if credentials is None:
        raise Refusal(Code.NOT_FOUND, "There is no such user.")
    _throttle(services, request, credentials.email)
    await send_verification(services.database, caller.account_id, links=links, now=services.now())


@public_router.post(
    "/password-resets",
    status_code=202,
    summary="Ask for a link that sets a password",
    responses=problem_responses(404, 422, 429, 503),
)
async def create_password_reset(
    body: ResetRequest, request: Request, services: ServicesDependency
) -> None:
    """The answer is the same, and comes at the same time, whether there is such a user or not."""
    answer_at = time.monotonic() + services.settings.reset_answer_seconds
    links = _require_mail(services)
    _throttle(services, request, body.email)
    await request_password_reset(services.database, body.email, links=links, now=services.now())
    await asyncio.sleep(max(0.0, answer_at - time.monotonic()))


@public_router.get(
    "/password-resets/{token}",
    summary="The page behind a mail's link",
    response_class=HTMLResponse,
)
async def show_password_reset(token: PathToken) -> HTMLResponse:
    """With a field for the new password."""
    return reset_page()


@public_router.post(
    "/password-resets/{token}",
    status_code=204,
    summary="Set a password by a mail's link",
    responses=problem_responses(410, 422, 429, 503),
)
async def use_password_reset(
    token: PathToken, body: ResetPassword, services: ServicesDependency
) -> None:
    """Once. All of the user's sessions end."""
    now = services.now()
    email = await fetch_reset_email(services.database, token, now)
    if email is None:
        raise LinkExpired("the link was used before, or is too old")
    password = body.password.get_secret_value()
    check_new_password(password, email)
    new_hash = await services.passwords.hash(password)
    await reset_password(services.database, token, new_hash, now=now)


def _require_mail(services: Services) -> MailLinks:
    links = services.settings.mail_links
    if links is None:
        raise Refusal(Code.NOT_FOUND, "This server sends no mail: ask whoever runs it.")
    return links


def _throttle(services: Services, request: Request, email: str) -> None:
    """By mailbox: `anna+1@` and `anna+2@` fill the same one."""
    address = services.throttles.client_address(request)
    services.throttles.sign_up.attempt(canonical_address(email), address, services.now())
