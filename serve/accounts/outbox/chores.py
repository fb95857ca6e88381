"""The chores behind alerts: look for crossings, send what is in the outbox, forget what ended."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from billing.alerts.checking import ALERTS_MAX, check_alerts
from billing.database import Database
from billing.outbox.actions import prune_deliveries
from billing.outbox.values import Channel
from serve.accounts.bookkeeping import Chore
from serve.accounts.outbox.delivering import Deliverer
from serve.accounts.outbox.mail import MailSender, SmtpServer
from serve.accounts.outbox.webhooks import WebhookSender
from serve.accounts.services import Services
from serve.accounts.settings import AccountsSettings

_LOOK_SECONDS = 2.0
_SEND_SECONDS = 5.0
"""How late a message is sent at most; ten senders that looked more often cost what they idle."""

_PRUNE_SECONDS = 600.0
_MAIL_STEPS = 12
"""Replies that a mail takes at most; each is waited for by itself."""


class AlertChecker:
    """Goes round all alerts, a portion a run: a busy account keeps no other from its turn."""

    def __init__(
        self, database: Database, now: Callable[[], datetime], alerts_max: int = ALERTS_MAX
    ) -> None:
        self._database = database
        self._now = now
        self._alerts_max = alerts_max
        self._after: uuid.UUID | None = None
        self._was_behind = False

    async def run(self) -> bool:
        """Whether more is waiting: the rest of the round, or of a long row of entries."""
        checked = await check_alerts(
            self._database, after=self._after, now=self._now(), alerts_max=self._alerts_max
        )
        self._after = checked.last_id
        self._was_behind = self._was_behind or checked.is_behind
        if checked.last_id is not None:
            return True
        has_more, self._was_behind = self._was_behind, False
        return has_more


def make_alert_chores(services: Services) -> list[Chore]:
    """Each sender is a chore of its own, so that a slow receiver keeps none but one busy."""
    settings, database = services.settings, services.database
    checker = AlertChecker(database, services.now)
    webhooks, mails = make_webhook_deliverer(services), make_mail_deliverer(services)

    async def prune() -> bool:
        days = timedelta(days=settings.delivery_retention_days)
        return await prune_deliveries(database, days, now=services.now())

    return [
        Chore("alerts", _LOOK_SECONDS, checker.run),
        *(
            Chore(f"webhooks_{number}", _SEND_SECONDS, webhooks.deliver_one)
            for number in range(settings.webhook_senders)
        ),
        *(
            Chore(f"mails_{number}", _SEND_SECONDS, mails.deliver_one)
            for number in range(settings.smtp_senders)
        ),
        Chore("deliveries_pruned", _PRUNE_SECONDS, prune),
    ]


def make_webhook_deliverer(services: Services) -> Deliverer:
    """By the settings' bounds."""
    settings = services.settings
    sender = WebhookSender(
        timeout_seconds=settings.webhook_timeout_seconds,
        allow_http=settings.webhook_allow_http,
        allow_private=settings.webhook_allow_private,
    )
    return Deliverer(
        services.database,
        Channel.WEBHOOK,
        sender.send,
        patience=settings.patience,
        lease=timedelta(seconds=3 * settings.webhook_timeout_seconds),
        account_share=max(1, settings.webhook_senders // 4),
        now=services.now,
    )


def make_mail_deliverer(services: Services) -> Deliverer:
    """By the settings' bounds. An account has mail to itself alone: its share is all of it."""
    settings = services.settings
    sender = MailSender(_smtp_server(settings), settings.smtp_from, threads=settings.smtp_senders)
    return Deliverer(
        services.database,
        Channel.EMAIL,
        sender.send,
        patience=settings.patience,
        lease=timedelta(seconds=_MAIL_STEPS * settings.smtp_timeout_seconds),
        account_share=settings.smtp_senders,
        now=services.now,
    )


def _smtp_server(settings: AccountsSettings) -> SmtpServer | None:
    if settings.smtp_host is None:
        return None
    password = settings.smtp_password
    return SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        tls=settings.smtp_tls,
        timeout_seconds=settings.smtp_timeout_seconds,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
    )
