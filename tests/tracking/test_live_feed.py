"""The live map's feed as a browser gets it: scope, filters, changes, refusals."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from backend.identity.schemas import SYSTEM
from backend.identity.service import (
    issue_api_token,
    revoke_token,
)
from backend.platform.ids import uuid7
from backend.tracking.live_frames import DRIVER_BYTES, HEADER, FrameFlag, FrameKind
from backend.tracking.live_table import DriverDetails, Status
from tests.tracking.live_support import BANGKOK, MANAGER, LiveFeed, on_the_map


async def test_manager_sees_the_drivers_of_their_region_and_no_other(feed: LiveFeed) -> None:
    feed.add("DRV-1", 13.75, 100.5, hub="TH-10.siam", plate="1AB")
    feed.add("DRV-2", 1.35, 103.8, region="SG-01")
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look()
        await shown.described()
        assert shown.codes == {"DRV-1"}
        assert shown.header.counts == (1, 0, 0, 0)
        [row] = shown.details.values()
        assert (row["plate"], row["hub"], row["region"]) == ("1AB", "TH-10.siam", "TH-10")
        assert shown.hello["scopes"] == ["TH-10"]


async def test_filters_of_a_foreign_region_show_nothing(feed: LiveFeed) -> None:
    feed.add("DRV-2", 1.35, 103.8, region="SG-01")
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look(filters={"region": "SG-01"})
        assert not shown.shown
        assert shown.header.counts == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        ({}, {"DRV-1", "DRV-2", "DRV-3"}),
        ({"vehicle": ["van"]}, {"DRV-2"}),
        ({"hub": "TH-10.siam"}, {"DRV-1"}),
        ({"region": ["TH", "SG"]}, {"DRV-1", "DRV-2", "DRV-3"}),
        ({"status": ["stale"]}, {"DRV-3"}),
        ({"status": ["off_shift"]}, {"DRV-4"}),
        ({"q": "somch"}, {"DRV-2"}),
        ({"q": " drv-3 "}, {"DRV-3"}),
        ({"q": "drv", "vehicle": "bike", "status": "live"}, {"DRV-1"}),
    ],
)
async def test_filters(feed: LiveFeed, filters: dict[str, object], codes: set[str]) -> None:
    feed.add("DRV-1", 13.75, 100.5, hub="TH-10.siam")
    feed.add("DRV-2", 13.76, 100.5, vehicle="van", name="Somchai")
    late = feed.add("DRV-3", 13.77, 100.5)
    feed.add("DRV-4", 13.78, 100.5, on_shift=False)
    feed.source.news.states.pop(-2)
    feed.move(late, 13.77, 100.5, age_s=60)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look(filters=filters)
        await shown.described()
        assert shown.codes == codes


async def test_only_what_changed_is_sent_and_each_costs_fifteen_bytes(feed: LiveFeed) -> None:
    ids = [feed.add(f"DRV-{n}", 13.6 + n / 1000, 100.5) for n in range(200)]
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look(BANGKOK)
        assert shown.frames[0][0].kind is FrameKind.SNAPSHOT
        await shown.described()
        before = len(shown.frames)
        for driver_id in ids[:7]:
            feed.move(driver_id, 13.9, 100.6)
        moved = {
            slot for slot, d in shown.details.items() if d["code"] in {f"DRV-{n}" for n in range(7)}
        }
        await shown.until(lambda: all(shown.shown[slot][0] == 13.9 for slot in moved))
        sizes = [size for _, size in shown.frames[before:]]
        assert all(header.kind is FrameKind.DELTA for header, _ in shown.frames[before:])
        assert sum(size - HEADER.size for size in sizes) == 7 * DRIVER_BYTES


async def test_a_driver_that_leaves_view_region_or_shift_leaves_the_map(feed: LiveFeed) -> None:
    away = feed.add("DRV-1", 13.75, 100.5)
    moved = feed.add("DRV-2", 13.75, 100.5)
    off = feed.add("DRV-3", 13.75, 100.5)
    feed.add("DRV-4", 13.75, 100.5)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look(BANGKOK)
        assert len(shown.shown) == 4
        feed.move(away, 15, 100.5)
        feed.change(moved, region="SG-01")
        feed.change(off, on_shift=False)
        await shown.until(lambda: len(shown.shown) == 1)
        assert shown.codes == {"DRV-4"}
        assert shown.header.counts == (2, 0, 0, 1)


async def test_status_changes_by_time_alone(feed: LiveFeed) -> None:
    feed.add("DRV-1", 13.75, 100.5)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look()
        await shown.described()
        for after_s, status in ((20, Status.LIVE), (31, Status.STALE), (301, Status.OFFLINE)):
            feed.now_ms = feed.hub.table.newest_ms + after_s * 1000
            await shown.until(lambda: shown.header.server_ms == feed.now_ms)
            # The first frame of a moment may tell what was swept just before it.
            while shown.status("DRV-1") is not status:
                await shown.take()
        assert shown.header.newest_ms == feed.hub.table.newest_ms
        assert shown.header.counts == (0, 0, 1, 0)


async def test_cells_when_zoomed_out_and_points_again_when_zoomed_in(feed: LiveFeed) -> None:
    for n in range(30):
        feed.add(f"DRV-{n}", 13.75, 100.5)
    feed.add("DRV-SG", 1.35, 103.8, region="SG-01")
    await feed.ticks()
    cookie = await feed.sign_in(("viewer", "*"))
    async with on_the_map(feed.open(cookie)) as shown:
        await shown.look(zoom=4)
        assert shown.header.kind is FrameKind.CELLS
        assert shown.cells is not None
        assert sorted(shown.cells.counts[:, 0].tolist()) == [1, 30]
        await feed.ticks(3)
        await shown.take()
        assert shown.header.kind is FrameKind.DELTA, "unchanged cells are not sent again"
        await shown.look(zoom=12)
        assert shown.header.kind is FrameKind.SNAPSHOT
        assert len(shown.shown) == 31


async def test_more_than_ten_thousand_in_view_become_cells(feed: LiveFeed) -> None:
    drivers = [
        DriverDetails(uuid7(), f"DRV-{n:05}", "Malee", None, "bike", None, "TH-10", True)
        for n in range(10_001)
    ]
    feed.source.news.details.extend(drivers)
    feed.move_all(
        [driver.id.bytes for driver in drivers],
        np.linspace(13.5, 14, 10_001),
        np.linspace(100.3, 100.9, 10_001),
    )
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look(zoom=11)
        assert shown.header.kind is FrameKind.CELLS
        assert shown.header.in_view == 10_001
        assert shown.cells is not None
        assert shown.cells.counts.sum() == 10_001
        await shown.look((100.3, 13.5, 100.4, 13.7), zoom=11)
        assert shown.header.kind is FrameKind.SNAPSHOT
        await shown.described()


async def test_view_that_overtakes_a_frame_is_answered_in_full(feed: LiveFeed) -> None:
    feed.add("DRV-1", 13.75, 100.5)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look(BANGKOK)
        shown.acknowledges = False
        await shown.until(lambda: len(shown.frames) > 1)
        await shown.look(BANGKOK, zoom=13)
        assert shown.header.kind is FrameKind.SNAPSHOT


async def test_panning_sends_only_the_difference(feed: LiveFeed) -> None:
    for n in range(100):
        feed.add(f"DRV-{n}", 13.75, 100.0 + n / 100)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        views = ((99.995, 13, 100.495, 14), (100.095, 13, 100.595, 14))
        # A frame that was under way has the next view answered in full: then once more.
        for attempt in range(10):
            await shown.look(views[attempt % 2])
            assert len(shown.shown) == 50
            if shown.header.kind is FrameKind.DELTA:
                break
        header, size = shown.frames[-1]
        assert header.kind is FrameKind.DELTA
        assert size == HEADER.size + 10 * DRIVER_BYTES + 10 * 4
        assert len(shown.shown) == 50


async def test_resuming_sends_only_what_changed_meanwhile(feed: LiveFeed) -> None:
    ids = [feed.add(f"DRV-{n}", 13.6 + n / 1000, 100.5) for n in range(50)]
    await feed.ticks()
    cookie = await feed.sign_in(MANAGER)
    async with on_the_map(feed.open(cookie)) as first:
        await first.look(BANGKOK)
        assert len(first.shown) == 50
    feed.move(ids[0], 13.9, 100.6)
    feed.move(ids[1], 20, 100.6)
    feed.add("DRV-NEW", 13.7, 100.7)
    await feed.ticks()
    async with on_the_map(feed.open(cookie)) as again:
        again.shown, again.details = first.shown, first.details
        told = {"epoch": first.hello["epoch"], "tick": first.header.tick}
        await again.look(BANGKOK, resume=told)
        header, size = again.frames[0]
        assert header.kind is FrameKind.DELTA
        assert FrameFlag.RESUMED in header.flags
        assert size == HEADER.size + 2 * DRIVER_BYTES + 4
        assert len(again.shown) == 50
        await again.described()
        assert "DRV-NEW" in again.codes


@pytest.mark.parametrize("epoch", ["", "another"])
async def test_resuming_from_another_epoch_begins_with_a_snapshot(
    feed: LiveFeed, epoch: str
) -> None:
    feed.add("DRV-1", 13.75, 100.5)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look(resume={"epoch": epoch, "tick": 1})
        assert shown.header.kind is FrameKind.SNAPSHOT


async def test_reader_that_does_not_keep_up_skips_frames(feed: LiveFeed) -> None:
    driver_id = feed.add("DRV-1", 13.75, 100.5)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look()
        shown.acknowledges = False
        [viewer] = feed.hub.viewers
        window = shown.hello["window"]
        seen = len(shown.frames)
        for n in range(10):
            feed.move(driver_id, 13.75 + n / 1000, 100.5)
            await feed.ticks()
        assert viewer.skipped_since >= 10 - window - 1
        shown.acknowledges = True
        await shown.until(lambda: shown.shown[0][0] == pytest.approx(13.759))
        assert len(shown.frames) - seen <= window + 1, "what was skipped is never sent"


async def test_details_that_change_are_told_again(feed: LiveFeed) -> None:
    driver_id = feed.add("DRV-1", 13.75, 100.5)
    await feed.ticks()
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look()
        await shown.described()
        feed.change(driver_id, name="Somsri", plate="9ZZ")
        await shown.until(lambda: shown.details[0]["plate"] == "9ZZ")
        assert shown.details[0]["name"] == "Somsri"


async def test_token_without_names_sees_codes_only(feed: LiveFeed) -> None:
    feed.add("DRV-1", 13.75, 100.5, name="Somchai", plate="1AB")
    await feed.ticks()
    async with feed.resources.database.unit_of_work() as session:
        issued = await issue_api_token(
            session, SYSTEM, "wall", permissions=frozenset({"positions:read"}),
            regions=("TH",), ttl=timedelta(hours=1),
        )  # fmt: skip
    bearer = {"Authorization": f"Bearer {issued.secret}"}
    async with on_the_map(feed.open(None, origin=None, headers=bearer)) as shown:
        await shown.look()
        await shown.described()
        assert shown.details[0]["name"] is None
        assert shown.details[0]["plate"] is None
        await shown.look(filters={"q": "somchai"})
        assert not shown.shown
        async with feed.resources.database.unit_of_work() as session:
            await revoke_token(session, SYSTEM, issued.id)
        with pytest.raises(ConnectionClosed):
            await shown.until(lambda: False)
        assert shown.socket.close_code == 4401


async def test_a_lost_source_is_told(feed: LiveFeed) -> None:
    async with on_the_map(feed.open(await feed.sign_in(MANAGER))) as shown:
        await shown.look()
        feed.source.lost = True
        await shown.until(lambda: FrameFlag.SOURCE_LOST in shown.header.flags)
