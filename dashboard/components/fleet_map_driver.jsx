/* The quick parts of the driver panel: what changes every second, the trail, follow and close. */
import { useEffect, useMemo, useRef, useState } from "react";
import { batteryOf, INACCURATE, speedOf } from "./fleet_map_frames.js";
import { driverTrack, speedSeries, trackLine } from "./fleet_map_history.js";
import { linePaths } from "./fleet_map_playback.jsx";
import { changeMap, clock, kmh, mapState, span, useMap } from "./fleet_map_store.js";
import { EMPTY } from "./fleet_map_base.js";

const MINUTE = 60000;
const TRAIL_MS = 10 * MINUTE;
const CHART_MS = 30 * MINUTE;
const BINS = 90;
const WORDS = [["live", "good"], ["stale", "warning"], ["offline", "off"], ["off shift", "off"]];

/* The chosen driver's row in the feed, or null when it is not in view. */
function rowOf(engine, driver) {
  const slot = engine?.points.slotOf.get(driver);
  return slot === undefined ? undefined : engine.points.rowOf.get(slot);
}

/* "live 31 km/h, battery 64 %, fix 1 s ago", from the feed; `fallback` when not in view. */
export function DriverLive({ driver, fallback = "" }) {
  const engine = useMap((state) => state.engine);
  useMap((state) => state.tick);
  const row = rowOf(engine, driver);
  if (row === undefined) return <p className="wpm-now-line wp-muted">{fallback || "Not in view"}</p>;
  const { points } = engine;
  const state = points.state[row];
  const [word, tone] = WORDS[state & 3];
  const speed = speedOf(points.speed[row]);
  const battery = batteryOf(state);
  const age = points.fixMs[row] ? Math.max(0, (engine.serverNow() - points.fixMs[row]) / 1000) : null;
  const facts = [
    speed === null ? null : speed < 0.8 ? "standing" : kmh(speed),
    battery === null ? null : `battery ${battery <= 10 ? "under " : "about "}${battery} %`,
    age === null ? null : `fix ${age < 1 ? "now" : `${span(Math.floor(age))} ago`}`.replace(".0", ""),
    state & INACCURATE ? "inaccurate" : null,
  ].filter(Boolean);
  return (
    <p className="wpm-now-line">
      <span className="wp-shape" data-tone={tone} aria-hidden="true" /> {word} <span className="wp-muted">{facts.join(", ")}</span>
    </p>
  );
}

/* Draws the driver's trail on the map and the speed chart in the panel, both kept up to date. */
export function DriverTrack({ driver, zone, dayStart }) {
  const engine = useMap((state) => state.engine);
  const [day, setDay] = useState(false);
  const [track, setTrack] = useState(null);
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    if (!engine || !driver) return undefined;
    const control = new AbortController();
    setTrack(null);
    const load = async () => {
      const now = engine.serverNow();
      const from = day && dayStart ? Date.parse(dayStart) : now - CHART_MS;
      try {
        setTrack({ ...(await driverTrack(driver, from, now, control.signal)), fromMs: from, toMs: now });
        setTrouble("");
      } catch (error) {
        if (!control.signal.aborted) setTrouble(error.message);
      }
    };
    load();
    const timer = setInterval(load, day ? 2 * MINUTE : MINUTE);
    return () => {
      control.abort();
      clearInterval(timer);
    };
  }, [engine, driver, day, dayStart]);

  useTrail(engine, driver, track, day);

  const series = useMemo(() => track && speedSeries([track], track.fromMs, track.toMs, BINS), [track]);
  const paths = series && linePaths(series, 320, 44);
  const fastest = series ? Math.max(0, ...series.filter((value) => value !== null)) : 0;
  return (
    <div className="wpm-track">
      <div className="wpm-track-head">
        <span className="wp-label">{day ? "Speed, today" : "Speed, last 30 min"}</span>
        <span role="group" aria-label="Trail" className="wpm-spans">
          <button type="button" className="wp-chip" aria-pressed={!day} onClick={() => setDay(false)}>30 min</button>
          <button type="button" className="wp-chip" aria-pressed={day} onClick={() => setDay(true)}>Today</button>
        </span>
      </div>
      <svg viewBox="0 0 320 44" preserveAspectRatio="none" className="wpm-spark" role="img"
        aria-label={series ? `Speed, at most ${kmh(fastest)}` : "Speed, loading"} data-busy={track ? undefined : ""}>
        {paths && <><path d={paths.area} className="wpm-area" /><path d={paths.line} className="wpm-line" /></>}
      </svg>
      <div className="wpm-track-foot wp-muted">
        <span>{track ? clock(track.fromMs, zone) : ""}</span>
        <span>{trouble || (track && !track.t.length ? "no positions" : fastest ? `up to ${kmh(fastest)}` : "")}</span>
        <span>{track ? clock(track.toMs, zone) : ""}</span>
      </div>
    </div>
  );
}

/* The last 10 minutes (or the day) as a line that grows with the feed. */
function useTrail(engine, driver, track, day) {
  const tick = useMap((state) => state.tick);
  const grown = useRef([]);
  useEffect(() => {
    grown.current = [];
  }, [track, driver]);
  useEffect(() => {
    if (!engine || !driver) return;
    const slot = engine.points.slotOf.get(driver);
    const here = slot === undefined ? null : engine.points.shown(slot, 1);
    if (here) {
      const last = grown.current.at(-1);
      if (!last || last[0] !== here.lon || last[1] !== here.lat) grown.current.push([here.lon, here.lat]);
    }
    const lines = track ? trackLine(track, day ? -Infinity : engine.serverNow() - TRAIL_MS) : [];
    const tail = lines.length ? [...lines.pop(), ...grown.current] : [...grown.current];
    if (tail.length > 1) lines.push(tail);
    engine.fill("trail", lines.length
      ? { type: "Feature", properties: {}, geometry: lines.length === 1
        ? { type: "LineString", coordinates: lines[0] } : { type: "MultiLineString", coordinates: lines } }
      : EMPTY);
  }, [engine, driver, track, day, tick]);
  useEffect(() => () => engine?.fill("trail", EMPTY), [engine, driver]);
}

export function FollowButton() {
  const following = useMap((state) => state.following);
  return (
    <button
      type="button" className={following ? "wp-button wp-button-main" : "wp-button"} aria-pressed={following}
      onClick={() => mapState().engine?.follow(!following)} aria-keyshortcuts="f"
    >
      {following ? "Following" : "Follow"} <kbd>F</kbd>
    </button>
  );
}

export function CloseButton() {
  return (
    <button type="button" className="wp-icon-button" aria-label="Close the driver" onClick={() => mapState().choose?.(null)}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" />
      </svg>
    </button>
  );
}

/* Registers how the page chooses a driver, for parts outside the map. */
export const provideChoice = (choose) => changeMap({ choose });
