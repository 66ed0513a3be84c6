"""What recipients think of their deliveries, said on the page of their order."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import service as dispatch
from backend.insights import rating_repository
from backend.insights.models import RatingRow
from backend.insights.scorecard_schemas import RatingIn, RatingOut
from backend.platform import clock
from backend.platform.errors import Conflict


class NotDelivered(Conflict):
    """Only what was delivered can be rated."""

    code = "not_delivered"
    title = "Your order has not been delivered"


async def rate_delivery(session: AsyncSession, token: str, wanted: RatingIn) -> RatingOut:
    """Keep the recipient's stars for the order behind a link; said again they replace the others.

    Raises NoSuchLink for a link that leads nowhere, NotDelivered before the delivery.
    """
    order = await dispatch.follow_order(session, token)
    if order.state != "delivered":
        raise NotDelivered
    row = RatingRow(
        order_number=order.number, region=order.region, stars=wanted.stars, words=wanted.words,
        at=clock.now(),
    )  # fmt: skip
    await rating_repository.put(session, row)
    return RatingOut(stars=row.stars, at=row.at)
