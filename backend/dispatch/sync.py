"""A phone's sync: its events taken once and in its order, and what is new for it in return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.dispatch import device_events, doorstep_repository, offers
from backend.dispatch.device_reading import Heard, read_event, told_of, without_code
from backend.dispatch.doorstep_models import ConflictRow, DeviceEventRow, DeviceRow
from backend.dispatch.doorstep_rules import EVIDENCE, happened_at
from backend.dispatch.doorstep_schemas import DeviceIn, EventResult, SyncIn, SyncOut
from backend.dispatch.tasks import cursor_of, known_by, open_tasks
from backend.dispatch.uploads import driver_of
from backend.identity.schemas import SYSTEM, Principal
from backend.platform import clock
from backend.platform.ids import uuid7
from backend.platform.ratelimit import take
from backend.platform.resources import current
from backend.tracking import service as tracking

_PER_S = 2.0
_BURST = 60


async def sync(session: AsyncSession, principal: Principal, sent: SyncIn) -> SyncOut:
    """A result for each event of the phone, and all that is new since its cursor.

    Every event is done once: in the order of its number, and only when all before it are there.
    Pictures and notes wait for none. Raises RateLimited; refused events are results.
    """
    driver_id = driver_of(principal)
    await take(current().redis, f"sync:{driver_id}", rate_per_s=_PER_S, burst=_BURST)
    results: list[EventResult] = []
    settled: list[EventResult] = []
    if sent.events:
        hearing = await _Hearing.begin(session, principal, driver_id, sent.device)
        results = await hearing.hear([read_event(raw) for raw in sent.events])
        settled = [_result(row) for row in hearing.settled]
    phone = await doorstep_repository.device(session, driver_id)
    tasks = await open_tasks(session, driver_id)
    known = known_by(sent.cursor)
    here = {task.order_id for task in tasks}
    return SyncOut(
        results=results,
        settled=settled,
        next_seq=phone.highest_seq + 1 if phone else 1,
        missing=await doorstep_repository.missing_numbers(session, phone) if phone else [],
        tasks=[task for task in tasks if known.get(task.order_id) != task.version],
        gone=[order_id for order_id in known if order_id not in here],
        offers=await offers.offers_of_driver(session, principal, driver_id),
        cursor=cursor_of(tasks),
        server_time=clock.now(),
    )


class _Hearing:
    """One request's events against what is known of the phone, whose row is locked meanwhile."""

    def __init__(
        self, session: AsyncSession, caller: Principal, phone: DeviceRow, device: DeviceIn
    ) -> None:
        self._session = session
        self._caller = caller
        self._phone = phone
        self._device = device
        self._received_at = clock.now()
        self._by_id: dict[UUID, DeviceEventRow] = {}
        self._by_seq: dict[int, DeviceEventRow] = {}
        self.settled: list[DeviceEventRow] = []

    @classmethod
    async def begin(
        cls, session: AsyncSession, principal: Principal, driver_id: UUID, device: DeviceIn
    ) -> _Hearing:
        """The phone locked, its driver called by name in the histories, its clock compared."""
        phone = await doorstep_repository.device_for_update(session, driver_id)
        driver = await tracking.get_driver(session, SYSTEM, driver_id)
        hearing = cls(session, replace(principal, name=driver.name), phone, device)
        phone.boot_id, phone.seen_at = device.boot_id, hearing._received_at
        phone.app_version, phone.platform = device.app_version, device.platform
        if (offset := hearing._offset()) is not None:
            phone.clock_offset_ms = round(offset.total_seconds() * 1000)
        return hearing

    async def hear(self, heard: Sequence[Heard]) -> list[EventResult]:
        """One result for each event as it was sent, taken in the order of their numbers."""
        named = [one for one in heard if one.envelope is not None]
        rows = await doorstep_repository.known_events(
            self._session,
            self._phone.driver_id,
            [one.event_id for one in named],
            [one.device_seq for one in named],
        )
        for row in rows:
            self._remember(row)
        results: dict[int, EventResult] = {}
        numbered = sorted(enumerate(heard), key=lambda item: item[1].order)
        for index, one in numbered:
            results[index] = await self._take(one)
        return [results[index] for index in range(len(heard))]

    async def _take(self, one: Heard) -> EventResult:
        if one.envelope is None:
            return EventResult(
                event_id=one.named, device_seq=None, status="rejected",
                code=one.code, detail=one.detail,
            )  # fmt: skip
        before = self._by_id.get(one.event_id)
        if before is None:
            if one.device_seq in self._by_seq:
                return await self._conflict(one, "number_taken", "another event has this number")
            return await self._add(one)
        mine = before.driver_id == self._phone.driver_id
        if mine and before.fingerprint == one.fingerprint:
            return _result(before, again=True)
        return await self._conflict(one, "other_body", "this id came with another body before")

    async def _conflict(self, one: Heard, code: str, detail: str) -> EventResult:
        row = ConflictRow(
            id=uuid7(),
            driver_id=self._phone.driver_id,
            event_id=one.event_id,
            device_seq=one.device_seq,
            fingerprint=one.fingerprint,
            body=one.body,
            received_at=self._received_at,
        )
        await doorstep_repository.add_conflict(self._session, row)
        return EventResult(
            event_id=str(one.event_id), device_seq=one.device_seq, status="conflict",
            code=code, detail=f"Nothing was done: {detail}.",
        )  # fmt: skip

    async def _add(self, one: Heard) -> EventResult:
        row = self._row_of(one)
        self._session.add(row)
        self._remember(row)
        self._phone.highest_seq = max(self._phone.highest_seq, row.device_seq)
        if one.event is not None and one.event.type in EVIDENCE:
            await self._decide(row)
        await self._catch_up(row)
        return _result(row)

    def _row_of(self, one: Heard) -> DeviceEventRow:
        event = one.event
        captured = event.captured_at if event else None
        when = self._received_at
        if event is not None:
            ticks = self._device.monotonic_ms
            when = happened_at(
                event.captured_at,
                self._received_at,
                offset=self._offset(),
                since_boot=None
                if ticks is None
                else timedelta(milliseconds=ticks - event.monotonic_ms),
                same_boot=event.boot_id == self._device.boot_id,
            )
        return DeviceEventRow(
            event_id=one.event_id,
            driver_id=self._phone.driver_id,
            device_seq=one.device_seq,
            type=event.type if event else "unreadable",
            order_id=event.order_id if event else None,
            fingerprint=one.fingerprint,
            body=one.body,
            captured_at=captured,
            happened_at=when,
            received_at=self._received_at,
            status="held" if event else "rejected",
            code=one.code,
            detail=one.detail,
        )

    def _offset(self) -> timedelta | None:
        sent_at = self._device.sent_at
        return None if sent_at is None else self._received_at - sent_at

    async def _catch_up(self, newest: DeviceEventRow) -> None:
        """Do every event that has all numbers before it by now."""
        while self._phone.heard_seq < self._phone.highest_seq:
            number = self._phone.heard_seq + 1
            row = self._by_seq.get(number) or await doorstep_repository.event_numbered(
                self._session, self._phone.driver_id, number
            )
            if row is None:
                return
            if row.status == "held":
                await self._decide(row)
                if row is not newest:
                    self.settled.append(row)
            self._phone.heard_seq = number

    async def _decide(self, row: DeviceEventRow) -> None:
        told = told_of(row)
        refusal = await device_events.apply(self._session, self._caller, told)
        row.status = "accepted" if refusal is None else "rejected"
        row.body = without_code(row.body)
        if refusal is not None:
            row.code, row.detail = refusal.code, refusal.detail

    def _remember(self, row: DeviceEventRow) -> None:
        self._by_id[row.event_id] = row
        if row.driver_id == self._phone.driver_id:
            self._by_seq[row.device_seq] = row


def _result(row: DeviceEventRow, *, again: bool = False) -> EventResult:
    return EventResult.model_validate(
        {
            "event_id": str(row.event_id),
            "device_seq": row.device_seq,
            "status": "duplicate" if again else row.status,
            "first": row.status if again else None,
            "code": row.code,
            "detail": row.detail,
        }
    )
