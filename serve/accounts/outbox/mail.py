"""Sends a mail through the operator's SMTP server."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from billing.outbox.values import Claimed
from serve.accounts.outbox.sending import NotSent

_PERMANENT = 500
"""SMTP's replies from here on will be the same the next time."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes out, and how."""

    host: str
    port: int
    tls: Literal["none", "starttls", "tls"]
    timeout_seconds: float
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class MailSender:
    """Speaks SMTP in threads of its own: slow look-ups of webhooks' names keep no mail waiting."""

    def __init__(
        self,
        server: SmtpServer | None,
        sender: str,
        *,
        threads: int = 1,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Without a `server`, every mail is given up."""
        self._server = server
        self._sender = sender
        self._ssl_context = ssl_context
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="mail")

    async def send(self, claimed: Claimed, now: datetime) -> None:
        """Sent is what the server took. Raises NotSent."""
        if self._server is None:
            raise NotSent("No SMTP server is configured.", is_final=True)
        try:
            message = compose(claimed, self._sender, now)
        except (KeyError, ValueError, IndexError) as error:
            raise NotSent("The mail cannot be written.", is_final=True) from error
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._threads, self._hand_over, self._server, message)
        except smtplib.SMTPRecipientsRefused as error:
            code = max(reply[0] for reply in error.recipients.values())
            raise NotSent(
                f"The mail server refused the address: {code}.", code >= _PERMANENT
            ) from error
        except smtplib.SMTPResponseException as error:
            is_final = error.smtp_code >= _PERMANENT and not _is_ours(error)
            raise NotSent(f"The mail server answered {error.smtp_code}.", is_final) from error
        except smtplib.SMTPNotSupportedError as error:
            raise NotSent("The mail server lacks what this takes.", is_final=True) from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"The mail server was not reached: {type(error).__name__}.") from error

    def _hand_over(self, server: SmtpServer, message: EmailMessage) -> None:
        with closing(self._connect(server)) as smtp:
            if server.tls == "starttls":
                smtp.starttls(context=self._ssl_context or ssl.create_default_context())
            if server.username is not None:
                smtp.login(server.username, server.password or "")
            smtp.send_message(message)
            with suppress(smtplib.SMTPException, OSError):  # the mail is taken: no reason to resend
                smtp.quit()

    def _connect(self, server: SmtpServer) -> smtplib.SMTP:
        if server.tls != "tls":
            return smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
        return smtplib.SMTP_SSL(
            server.host,
            server.port,
            timeout=server.timeout_seconds,
            context=self._ssl_context or ssl.create_default_context(),
        )


def compose(claimed: Claimed, sender: str, now: datetime) -> EmailMessage:
    """Of the payload's `to`, `subject` and `text`. One message has one id, however often it is
    sent. Raises ValueError for a line break in a header or an address that is none.
    """
    to = str(claimed.payload["to"])
    if not to or any(character in to for character in ",;<> \t"):
        raise ValueError("not one address")
    message = EmailMessage()
    message["From"] = sender
    message["To"] = (Address(addr_spec=to),)
    message["Subject"] = str(claimed.payload["subject"])
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{claimed.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(str(claimed.payload["text"]))
    return message


def _is_ours(error: smtplib.SMTPResponseException) -> bool:
    """Whether the operator can mend it: a log-in or a sender that the server does not take."""
    return isinstance(error, (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused))
