"""Help on the customer's page: the form that asks for it, and what was said since."""

from __future__ import annotations

import hashlib
from html import escape

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch.customer_page import Visit
from backend.dispatch.customer_times import moment_of
from backend.dispatch.rules import OrderState
from backend.platform.ids import uuid7
from backend.support import service
from backend.support.customer_rules import choices
from backend.support.customer_schemas import CustomerConversation, CustomerSaid
from backend.support.rules import Kind

_LONGEST = 1000


def revision_of(said: CustomerConversation) -> str:
    """A word that changes with the conversation."""
    return hashlib.sha256(said.model_dump_json().encode()).hexdigest()[:16]


async def help_and_talk(session: AsyncSession, visit: Visit) -> str:
    """The section for help: closed up until it is wanted, the conversation once there is one."""
    said = await service.conversation_of_customer(session, visit.token)
    look = (
        f' data-look="/api/track/{visit.token}/help" data-revision="{revision_of(said)}"'
        if said.items or not visit.over
        else ""
    )
    inner = _talk(visit, said) if said.items else ""
    title = visit.words.html("help.more" if said.items else "help.title")
    return (
        f'<section class="help" id="help"{look}>{inner}<details id="help-more">'
        f"<summary><h2>{title}</h2></summary>{_ask(visit)}</details></section>"
    )


def _talk(visit: Visit, said: CustomerConversation) -> str:
    words = visit.words
    lines = "".join(_said(visit, each) for each in said.items)
    state = ""
    if not said.open:
        state = words.html("talk.solved")
    elif said.items[-1].by == "you":
        state = words.html("talk.received")
    return (
        f'<h2>{words.html("talk.title")}</h2><ol class="talk">{lines}</ol>'
        f'<form method="post" action="{visit.address("/talk")}">{_key()}'
        f'<p role="status">{state}</p><label for="talk-text">{words.html("talk.text")}</label>'
        f'<textarea id="talk-text" name="text" rows="2" required maxlength="{_LONGEST}"></textarea>'
        f'<button class="send">{words.html("talk.send")}</button></form>'
    )


def _said(visit: Visit, said: CustomerSaid) -> str:
    who = visit.words.html(f"talk.{said.by}")
    at = escape(moment_of(said.at, visit.zone, visit.words))
    return (
        f'<li data-by="{said.by}"><p><b>{who}</b> <time>{at}</time></p>'
        f'<p class="said">{escape(said.text)}</p></li>'
    )


def _ask(visit: Visit) -> str:
    words = visit.words
    kinds = "".join(
        _choice(visit, kind, first=place == 0)
        for place, kind in enumerate(choices(OrderState(visit.told.state)))
    )
    return (
        f'<form method="post" action="{visit.address("/help")}">{_key()}'
        f"<p>{words.html('help.lead')}</p>"
        f"<fieldset><legend>{words.html('help.kind')}</legend>{kinds}</fieldset>"
        f'<label for="help-text">{words.html("help.text")}</label>'
        f'<textarea id="help-text" name="text" rows="3" required maxlength="{_LONGEST}"></textarea>'
        f'<p role="status"></p><button class="send">{words.html("help.send")}</button></form>'
    )


def _choice(visit: Visit, kind: Kind, *, first: bool) -> str:
    checked = " checked" if first else ""
    return (
        f'<label class="choice"><input type="radio" name="kind" value="{kind}"'
        f' id="help-{kind}"{checked}><span>{visit.words.html(f"kind.{kind}")}</span></label>'
    )


def _key() -> str:
    """Names what this form will send: sent twice it is kept once."""
    return f'<input type="hidden" name="key" value="{uuid7()}">'
