/* Plans on a time line: a row per driver, a bar per stop, the line of now, what is tight or late. */
import { useEffect, useRef, useState } from "react";
import { kmOf } from "./dispatch_board_drivers.jsx";
import { clockOf, spanOf, stopTone, useNow } from "./dispatch_board_time.js";

const BEFORE_MS = 20 * 60_000;
const AFTER_MS = 3 * 3_600_000;
const TICK_MS = 30 * 60_000;
const SHORTEST = 0.9; // per cent of the row's width
const LABELLED = 2.8; // per cent: narrower bars have no room for words
const STARTS_AFTER_PX = 4;
const WORDS = { critical: "late", warning: "tight", good: "in time", info: "in time" };

export function Plans({ board }) {
  const now = useNow(10_000);
  const { plans, ready } = board;
  const [folded, setFolded] = useState(false);
  const from = now - BEFORE_MS;
  const share = (ms) => ((ms - from) / (BEFORE_MS + AFTER_MS)) * 100;
  const ticks = [];
  for (let at = Math.ceil(from / TICK_MS) * TICK_MS; at < now + AFTER_MS; at += TICK_MS) ticks.push(at);
  return (
    <section className="wpb-plans" aria-label="Plans" data-pane="plans" data-folded={folded ? "" : undefined}>
      <header className="wpb-plans-head">
        <button type="button" className="wpb-fold" aria-expanded={!folded} onClick={() => setFolded(!folded)}>
          <svg viewBox="0 0 8 5" width="8" height="5" aria-hidden="true"><path d="M.5.5L4 4 7.5.5" fill="none" stroke="currentColor" /></svg>
          <h2>Plans, next 3 hours</h2>
        </button>
        <span className="wpb-legend" aria-hidden="true">
          <i data-tone="info" data-kind="pickup" />pickup<i data-tone="good" />drop<i data-tone="warning" />tight<i data-tone="critical" />late
        </span>
        <span className="wp-muted">{summaryOf(plans)}</span>
      </header>
      {!folded && (
        <div className="wpb-plan-rows">
          <div className="wpb-ruler" aria-hidden="true">
            {ticks.map((at) => <span key={at} style={{ left: `${share(at)}%` }}>{clockOf(at, board.zone)}</span>)}
          </div>
          {plans.rows.map((plan) => <PlanRow key={plan.driver} plan={plan} board={board} share={share} ticks={ticks} now={now} />)}
          {ready && plans.rows.length === 0 && <p className="wpb-no-plans wp-muted">No driver has stops planned. Assigned orders appear here as tours.</p>}
          {!ready && Array.from({ length: 5 }, (_, i) => <div key={i} className="wpb-plan" aria-hidden="true"><span className="wp-bone" style={{ width: 64 }} /><span className="wpb-track"><span className="wp-bone" style={{ width: `${30 + ((i * 23) % 50)}%`, height: 18 }} /></span></div>)}
        </div>
      )}
    </section>
  );
}

function summaryOf({ rows, total, stops, metres, tight, late }) {
  if (!total) return "";
  const some = total > rows.length ? `${rows.length} of ${total} routes` : `${total} ${total === 1 ? "route" : "routes"}`;
  const troubles = [tight && `${tight} tight`, late && `${late} late`].filter(Boolean).join(", ");
  return [some, `${stops} stops`, kmOf(metres), troubles].filter(Boolean).join(", ");
}

const nameOf = (stop) => `${stop.order}/${stop.kind}`;

function PlanRow({ plan, board, share, ticks, now }) {
  const [dragged, setDragged] = useState(null);
  const [moved, setMoved] = useState(null);
  const track = useRef(null);
  useEffect(() => setMoved(null), [plan]);
  const stops = moved ?? plan.stops;
  const visible = stops.filter((stop) => share(stop.leave) > 0 && share(stop.arrive) < 100);
  const editable = board.may.assign;

  /* Puts the stop at another place of the tour and pins it; shown at once, undone if refused. */
  const move = (from, to) => {
    const place = Math.max(0, Math.min(stops.length - 1, to));
    if (place === from) return;
    const next = [...stops];
    const [stop] = next.splice(from, 1);
    next.splice(place, 0, { ...stop, pinned: true });
    if (!keepsPickupsFirst(next)) {
      board.say("The pickup of an order comes before its drop.");
      return;
    }
    setMoved(spaced(next, stops));
    board.moveStop(plan, next);
  };
  const pin = (at) => board.moveStop(plan, stops.map((stop, i) => (i === at ? { ...stop, pinned: !stop.pinned } : stop)));

  const press = (event, at) => {
    if (event.button !== 0 || !editable || event.pointerType === "touch") return;
    const startX = event.clientX;
    let begun = false;
    const drag = (seen) => {
      if (!begun && Math.abs(seen.clientX - startX) < STARTS_AFTER_PX) return;
      begun = true;
      setDragged({ name: nameOf(stops[at]), dx: seen.clientX - startX });
    };
    const end = (seen) => {
      window.removeEventListener("pointermove", drag);
      window.removeEventListener("pointerup", end);
      setDragged(null);
      if (begun) move(at, placeAt(track.current, stops, at, seen.clientX, share));
    };
    window.addEventListener("pointermove", drag);
    window.addEventListener("pointerup", end);
  };
  const key = (event, at) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.altKey && step && editable) {
      event.preventDefault();
      move(at, at + step);
    } else if (event.key === "p" && editable) {
      event.preventDefault();
      event.stopPropagation();
      pin(at);
    }
  };
  return (
    <div className="wpb-plan" role="group" aria-label={`Tour of ${plan.code}`} data-picked={plan.driver === board.picked ? "" : undefined}>
      <button type="button" className="wpb-plan-name" title={plan.name} onClick={() => board.pick(plan.driver)}>{plan.code}</button>
      <div className="wpb-track" ref={track}>
        {ticks.map((at) => <i key={at} className="wpb-tick" style={{ left: `${share(at)}%` }} />)}
        <i className="wpb-now" style={{ left: `${share(now)}%` }} />
        {visible.map((stop) => {
          const at = stops.indexOf(stop);
          const tone = stopTone(stop);
          const left = Math.max(0, share(stop.arrive));
          const width = Math.max(SHORTEST, Math.min(100, share(stop.leave)) - left);
          const chosen = stop.order === board.chosen;
          return (
            <span key={nameOf(stop)} role="presentation">
              {chosen && stop.due > 0 && share(stop.due) < 100 && <i className="wpb-due-mark" data-tone={tone} style={{ left: `${share(stop.due)}%` }} />}
              <button
                type="button" className="wpb-stop" data-tone={tone} data-kind={stop.kind} data-chosen={chosen ? "" : undefined}
                data-dragged={dragged?.name === nameOf(stop) ? "" : undefined} data-pinned={stop.pinned ? "" : undefined}
                style={{ left: `${left}%`, width: `${width}%`, ...(dragged?.name === nameOf(stop) && { transform: `translateX(${dragged.dx}px)` }) }}
                title={titleOf(stop, tone, board.zone)} aria-label={`${titleOf(stop, tone, board.zone)}${editable ? ". Alt and arrows move it, p pins it" : ""}`}
                onPointerDown={(event) => press(event, at)} onKeyDown={(event) => key(event, at)} onClick={() => board.choose(stop.order)}
              >
                {width > LABELLED && <span aria-hidden="true">{stop.number.slice(-4)}</span>}
              </button>
            </span>
          );
        })}
      </div>
    </div>
  );
}

function titleOf(stop, tone, zone) {
  const lateness = stop.late > 0 ? `${spanOf(stop.late * 1000)} late` : WORDS[tone];
  const due = stop.due ? `, due ${clockOf(stop.due, zone)}` : "";
  return `${stop.kind === "pickup" ? "Pickup" : "Drop"} ${stop.number}, ${clockOf(stop.arrive, zone)} to ${clockOf(stop.leave, zone)}${due}, ${lateness}${stop.pinned ? ", pinned" : ""}`;
}

/* Where among the other stops a bar was let go. */
function placeAt(track, stops, at, x, share) {
  const box = track.getBoundingClientRect();
  const wanted = ((x - box.left) / box.width) * 100;
  return stops.filter((stop, i) => i !== at && share((stop.arrive + stop.leave) / 2) < wanted).length;
}

/* A tour in a new order keeps the old one's times, place by place, until the server has its own. */
function spaced(next, before) {
  return next.map((stop, i) => ({ ...stop, arrive: before[i].arrive, leave: before[i].arrive + (stop.leave - stop.arrive) }));
}

function keepsPickupsFirst(stops) {
  const dropped = new Set();
  return stops.every((stop) => {
    if (stop.kind === "drop") dropped.add(stop.order);
    return stop.kind === "drop" || !dropped.has(stop.order);
  });
}
