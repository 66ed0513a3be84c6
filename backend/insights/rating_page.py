"""The stars on the customer's page, once the order is theirs."""

from __future__ import annotations

from html import escape

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.customer_page import Visit
from backend.dispatch.rules import OrderState
from backend.insights import rating_repository

_MOST = 5


async def stars(session: AsyncSession, visit: Visit) -> str:
    """The section for stars, with those that were given; empty before the delivery."""
    told, words = visit.told, visit.words
    if told.state != OrderState.DELIVERED:
        return ""
    given = await rating_repository.of_order(session, told.number)
    count = given.stars if given else 0
    buttons = "".join(_star(visit, number, count) for number in range(1, _MOST + 1))
    thanks = words.html("rating.thanks", n=str(count)) if given else ""
    return (
        f'<section class="rate" id="rating"><h2>{words.html("rating.title")}</h2>'
        f'<form method="post" action="{visit.address("/rating")}">'
        f'<div role="group" aria-label="{words.html("rating.stars")}">{buttons}</div>'
        f'<p role="status">{thanks}</p>{_comment(visit, given.words, count) if given else ""}'
        f"</form></section>"
    )


def _star(visit: Visit, number: int, given: int) -> str:
    lit = " data-lit" if number <= given else ""
    return (
        f'<button name="stars" value="{number}" aria-pressed="{str(number == given).lower()}"{lit}'
        f' aria-label="{visit.words.html("rating.star", n=str(number))}">\N{BLACK STAR}</button>'
    )


def _comment(visit: Visit, said: str, given: int) -> str:
    words = visit.words
    return (
        f'<label for="rating-words">{words.html("rating.comment")} '
        f"<small>({words.html('rating.optional')})</small></label>"
        f'<textarea id="rating-words" name="words" rows="2" maxlength="500">{escape(said)}'
        f'</textarea><button class="send" name="stars" value="{given}">'
        f"{words.html('rating.send')}</button>"
    )
