"""The demo's phone: what is sent has arrived, and the outbox is where it is looked at."""

from __future__ import annotations

from backend.notifications.channels.protocol import Answer, Letter, Outcome
from backend.notifications.message_rules import Channel


class Sandbox:
    """Stands in for every channel that is not set up, outside production.

    A push is only sent: the driver's app says itself when it is there.
    """

    name = "sandbox"

    async def send(self, letter: Letter) -> Answer:
        """Take it; a number or address that ends in 0000 is one that nobody has."""
        if letter.address.endswith("0000"):
            return Answer(Outcome.NEVER, "Nobody has this number.")
        return Answer(Outcome.SENT if letter.channel is Channel.PUSH else Outcome.DELIVERED)

    async def close(self) -> None:
        """Nothing is held open."""
