"""Change the password, delete the account: plain routes, as what is typed there is nobody's but
the API's, and the cookie goes with the account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import JSONResponse, Response

from frontend.language import Language
from frontend.prices import read_amount
from frontend.server import ServerError, SessionEnded
from frontend.session import (
    SESSION_COOKIE,
    forget_session,
    forwarded,
    server_of,
    tell,
    texts_of,
)
from frontend.texts import Texts

router = APIRouter(prefix="/account")


@router.post("/password")
async def change_password(
    request: Request,
    current_password: Annotated[str, Form()] = "",
    new_password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "",
) -> Response:
    """All other sessions end; the answer says so, or what the `problem` is."""
    texts = texts_of(language)
    if new_password != again:
        return JSONResponse({"problem": texts("account", "passwords_differ")}, status_code=422)
    body = {"current_password": current_password, "new_password": new_password}
    refused = await _send(request, "PUT", "/accounts/v1/me/password", body, texts)
    return refused or JSONResponse({"said": texts("account", "password_changed")})


@router.post("/deletion")
async def delete_account(
    request: Request,
    password: Annotated[str, Form()] = "",
    forfeit_credits: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = "",
) -> Response:
    """The page goes on to the welcome page, which says that the account is gone."""
    texts = texts_of(language)
    amount = read_amount(forfeit_credits)
    if amount is None:
        return JSONResponse({"problem": texts("account", "amount_unclear")}, status_code=422)
    body = {"password": password, "forfeit_credits": amount}
    refused = await _send(request, "DELETE", "/accounts/v1/me", body, texts)
    if refused:
        return refused
    response = JSONResponse({"location": f"/{texts.language}/?deleted=yes"})
    forget_session(response)
    return response


async def _send(
    request: Request, method: str, path: str, body: dict[str, str], texts: Texts
) -> Response | None:
    """None once it is done."""
    try:
        server = server_of(request).as_user(request.cookies.get(SESSION_COOKIE))
        await server.send(method, path, json=body, headers=forwarded(request))
    except SessionEnded:
        return JSONResponse({"location": _sign_in(texts.language)})
    except ServerError as error:
        return tell(error, texts)
    return None


def _sign_in(language: Language) -> str:
    return f"/{language}/?after=/{language}/account"
