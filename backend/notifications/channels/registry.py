"""The channels that the settings open, each with what carries it."""

from __future__ import annotations

from backend.notifications.channels.fcm import Firebase, read_account
from backend.notifications.channels.gateway import Gateway
from backend.notifications.channels.mail import Mail
from backend.notifications.channels.protocol import Answer, Letter, Outcome, Transport
from backend.notifications.channels.sandbox import Sandbox
from backend.notifications.message_rules import CHANNEL_WORDS, Channel
from backend.settings import Settings


def open_channels(settings: Settings) -> frozenset[Channel]:
    """The channels that messages can take: those set up, and all of them outside production."""
    if not settings.production:
        return frozenset(Channel)
    return frozenset(
        channel
        for channel, set_up in (
            (Channel.PUSH, settings.fcm_service_account is not None),
            (Channel.WHATSAPP, "whatsapp" in _by_gateway(settings)),
            (Channel.SMS, "sms" in _by_gateway(settings)),
            (Channel.EMAIL, bool(settings.smtp_url)),
        )
        if set_up
    )


def _by_gateway(settings: Settings) -> tuple[str, ...]:
    known = settings.message_gateway_url and settings.message_gateway_secret is not None
    return tuple(settings.message_gateway_channels) if known else ()


class Carriers:
    """What carries each channel, in one process."""

    def __init__(self, settings: Settings) -> None:
        self._by_channel: dict[Channel, Transport] = {}
        if settings.fcm_service_account is not None:
            account = read_account(settings.fcm_service_account)
            self._by_channel[Channel.PUSH] = Firebase(
                account, settings.fcm_url, settings.fcm_token_url
            )
        if settings.smtp_url:
            self._by_channel[Channel.EMAIL] = Mail(settings.smtp_url, settings.mail_from)
        secret = settings.message_gateway_secret
        if secret is not None and (served := _by_gateway(settings)):
            gateway = Gateway(settings.message_gateway_url, secret.get_secret_value())
            self._by_channel |= {Channel(channel): gateway for channel in served}
        if not settings.production:
            sandbox = Sandbox()
            self._by_channel = dict.fromkeys(Channel, sandbox) | self._by_channel

    def name_of(self, channel: Channel) -> str | None:
        """What carries the channel, None where nothing does."""
        transport = self._by_channel.get(channel)
        return transport.name if transport else None

    async def send(self, letter: Letter) -> Answer:
        """Hand a message over on its channel."""
        transport = self._by_channel.get(letter.channel)
        if transport is None:
            return Answer(Outcome.NEVER, f"Nothing is set up for {CHANNEL_WORDS[letter.channel]}.")
        return await transport.send(letter)

    async def close(self) -> None:
        """Let go of every connection."""
        for transport in set(self._by_channel.values()):
            await transport.close()
