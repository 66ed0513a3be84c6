"""The filter of lists and exports of orders as a query string spells it."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from pydantic import AwareDatetime

from backend.dispatch.order_schemas import OrderFilter
from backend.dispatch.rules import OrderState
from backend.dispatch.schemas import Lateness, Service, Terms

Search = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]


def order_filter(
    *,
    region: Search | None = None,
    state: Annotated[list[OrderState] | None, Query()] = None,
    lateness: Lateness | None = None,
    service: Service | None = None,
    driver_id: UUID | None = None,
    merchant: Search | None = None,
    tag: Search | None = None,
    terms: Terms | None = None,
    flagged: bool | None = None,
    created_from: AwareDatetime | None = None,
    created_until: AwareDatetime | None = None,
    q: Search | None = None,
    sort: Annotated[str, Query(pattern="^-?(created|promised)$")] = "-created",
) -> OrderFilter:
    """The filter that a query string names; a minus before the sort turns it around."""
    return OrderFilter(
        region=region,
        states=tuple(state or ()),
        lateness=lateness,
        service=service,
        driver_id=driver_id,
        merchant=merchant,
        tag=tag,
        terms=terms,
        flagged=flagged,
        created_from=created_from,
        created_until=created_until,
        q=q,
        sort="promised" if sort.endswith("promised") else "created",
        descending=sort.startswith("-"),
    )


Wanted = Annotated[OrderFilter, Depends(order_filter)]
