"""Mail, handed to a tiny SMTP server on loopback."""

from __future__ import annotations

import asyncio
import email
import email.policy
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from billing.outbox.values import Claimed
from serve.accounts.outbox.mail import MailSender, SmtpServer, compose
from serve.accounts.outbox.sending import NotSent

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FROM = "Farebox <mail@farebox.example>"
MAIL = {"to": "anna@example.com", "subject": "Wüsche", "text": "Follow\n.\nhttps://a.example/?t=1"}


def claim(**changes: Any) -> Claimed:
    return Claimed(uuid.uuid4(), uuid.uuid4(), MAIL | changes, 1, NOW, None, None)


@dataclass
class SmtpListener:
    """What came in, and what is answered to a verb instead of yes."""

    port: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 ready\r\n")
            while line := (await reader.readline()).decode().strip():
                self.commands.append(line)
                verb = line.split()[0].upper()
                default = {"EHLO": "250-here\r\n250 AUTH PLAIN", "DATA": "354 go on"}.get(verb)
                answer = self.answers.get(verb, default or "250 ok")
                writer.write(f"{answer}\r\n".encode())
                if verb == "DATA" and answer.startswith("354"):
                    self.messages.append(await reader.readuntil(b"\r\n.\r\n"))
                    writer.write(b"250 taken\r\n")
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(**answers: str) -> AsyncIterator[SmtpListener]:
    listener = SmtpListener(answers=answers)
    server = await asyncio.start_server(listener.talk, "127.0.0.1", 0)
    async with server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


def make_sender(port: int, **options: Any) -> MailSender:
    options = {"tls": "none", "timeout_seconds": 5.0} | options
    return MailSender(SmtpServer("127.0.0.1", port, **options), FROM)


async def test_server_gets_the_mail() -> None:
    claimed = claim()
    async with listening() as listener:
        await make_sender(listener.port).send(claimed, NOW)
    [raw] = listener.messages
    message = email.message_from_bytes(raw.removesuffix(b".\r\n"), policy=email.policy.default)
    assert (message["From"], message["To"]) == (FROM, "anna@example.com")
    assert message["Subject"] == "Wüsche"
    assert message["Message-ID"] == f"<{claimed.id}@farebox.example>"
    body = message.get_content().replace("\r\n", "\n").replace("\n..\n", "\n.\n")
    assert body.strip() == MAIL["text"]
    assert any(line.lower().startswith("rcpt to:<anna@example.com>") for line in listener.commands)


async def test_password_is_sent_where_there_is_one() -> None:
    async with listening(AUTH="235 welcome") as listener:
        sender = make_sender(listener.port, username="anna", password="secret")
        await sender.send(claim(), NOW)
    assert any(line.startswith("AUTH ") for line in listener.commands)


@pytest.mark.parametrize("field_name", ["to", "subject"])
@pytest.mark.parametrize("line_break", ["\n", "\r", "\r\n"])
async def test_header_cannot_be_smuggled_in(field_name: str, line_break: str) -> None:
    claimed = claim(**{field_name: f"anna@example.com{line_break}Bcc: eve@example.com"})
    with pytest.raises(ValueError):  # noqa: PT011 - the library's words
        compose(claimed, FROM, NOW)
    async with listening() as listener:
        with pytest.raises(NotSent) as caught:
            await make_sender(listener.port).send(claimed, NOW)
    assert caught.value.is_final
    assert listener.commands == []


@pytest.mark.parametrize("to", ["anna@example.com, eve@example.com", "", "anna", "<a@b>, <c@d>"])
def test_mail_goes_to_one_address(to: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        compose(claim(to=to), FROM, NOW)


@pytest.mark.parametrize(
    ("verb", "answer", "is_final"),
    [
        ("RCPT", "550 no such user", True),
        ("RCPT", "451 later", False),
        ("DATA", "554 no", True),
        ("DATA", "451 later", False),
        ("MAIL", "530 sign in first", False),
        ("AUTH", "535 wrong", False),
    ],
)
async def test_refusal_is_final_where_another_attempt_is_no_use(
    verb: str, answer: str, is_final: bool
) -> None:
    async with listening(**{verb: answer}) as listener:
        sender = make_sender(listener.port, username="anna", password="secret")
        listener.answers.setdefault("AUTH", "235 welcome")
        with pytest.raises(NotSent) as caught:
            await sender.send(claim(), NOW)
    assert caught.value.is_final is is_final
    assert "anna" not in caught.value.reason


async def test_mail_does_not_go_out_in_the_clear_where_tls_is_asked_for() -> None:
    async with listening(STARTTLS="454 not now") as listener:
        with pytest.raises(NotSent):
            await make_sender(listener.port, tls="starttls", username="anna").send(claim(), NOW)
    assert not any(line.startswith(("AUTH", "MAIL")) for line in listener.commands)


async def test_server_out_of_reach_is_tried_again() -> None:
    async with listening() as listener:
        pass
    with pytest.raises(NotSent) as caught:
        await make_sender(listener.port).send(claim(), NOW)
    assert not caught.value.is_final


async def test_without_a_server_mail_is_given_up() -> None:
    with pytest.raises(NotSent) as caught:
        await MailSender(None, FROM).send(claim(), NOW)
    assert caught.value.is_final
