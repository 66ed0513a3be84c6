/* The bar under the map: now, or any past window of a driver or the whole region, played at will. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { writeAddress } from "./fleet_map_address.js";
import { driverPast, regionPast, speedSeries, trackLine } from "./fleet_map_history.js";
import { changeMap, clock, useMap } from "./fleet_map_store.js";
import { EMPTY } from "./fleet_map_base.js";

const SPEEDS = [1, 4, 8, 16, 30, 60];
const WINDOWS = [[0.5, "30 min"], [1, "1 h"], [3, "3 h"], [8, "8 h"], [24, "24 h"]];
const HOUR = 3600000;
const FINEST_MS = 10000; // of simulated time between two moments of a region that are read
const WIDTH = 1000;
const HEIGHT = 36;

export function Playback({ region, zone, driver, driverDetail, initial }) {
  const engine = useMap((state) => state.engine);
  const tick = useMap((state) => state.tick);
  const [hours, setHours] = useState(initial.window || 1);
  const [speed, setSpeed] = useState(8);
  const [past, setPast] = useState(null);
  const [at, setAt] = useState(initial.time);
  const [end, setEnd] = useState(null);
  const [playing, setPlaying] = useState(false);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [wide, setWide] = useState(false); // the whole region although a driver is chosen
  const clockAt = useRef(initial.time);
  const loading = useRef(null);

  const complain = (error) => error.name !== "AbortError" && setTrouble(error.message);
  const scope = driver && !wide ? driver : "";
  const now = engine?.serverNow() ?? Date.now();
  const toMs = past ? past.toMs : end ?? now;
  const fromMs = past ? past.fromMs : toMs - hours * HOUR;

  const load = useCallback(async (wantedAt, wantedHours, wantedScope) => {
    if (!engine) return null;
    loading.current?.abort();
    const control = new AbortController();
    loading.current = control;
    const latest = engine.serverNow();
    const span = wantedHours * HOUR;
    const until = wantedAt < latest - span ? Math.min(latest, wantedAt + span / 2) : latest;
    setBusy(true);
    setTrouble("");
    try {
      const found = wantedScope
        ? await driverPast({ id: wantedScope, code: driverDetail?.code ?? "", name: driverDetail?.name ?? "" }, until - span, until, control.signal)
        : await regionPast(region, until - span, until, (id) => engine.points.details.get(engine.points.slotOf.get(id))?.name ?? "", control.signal);
      if (control.signal.aborted) return null;
      if (!found.size) setTrouble("No positions were kept in this window.");
      setEnd(until);
      setPast(found);
      return found;
    } catch (error) {
      if (!control.signal.aborted) setTrouble(error.message);
      return null;
    } finally {
      if (loading.current === control) setBusy(false);
    }
  }, [engine, region, driverDetail?.code]);

  const show = useCallback((found, ms) => {
    found.chosen = driver;
    found.seek(ms);
    engine.showPast(found);
  }, [engine, driver]);

  /* Go to a moment, loading its window first if need be. */
  const goTo = useCallback(async (ms, options = {}) => {
    const wanted = { hours, scope, ...options };
    clockAt.current = ms;
    setAt(ms);
    writeAddress({ time: new Date(ms).toISOString().replace(/\.\d+Z/, "Z"), window: wanted.hours === 1 ? "" : wanted.hours });
    const holds = past && !options.fresh && ms >= past.fromMs && ms <= past.toMs;
    const found = holds ? past : await load(ms, wanted.hours, wanted.scope);
    if (!found) return;
    changeMap({ past: { at: ms } });
    const step = Math.max(FINEST_MS, speed * 1000);
    found.ensure(ms, step).then(() => clockAt.current === ms && show(found, ms), complain);
    show(found, Math.max(found.fromMs, Math.min(found.toMs, clockAt.current)));
    const lines = wanted.scope ? found.tracks.flatMap((track) => trackLine(track)) : [];
    engine.fill("past", lines.length ? { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: lines } } : EMPTY);
  }, [engine, past, hours, scope, speed, load, show]);

  const goLive = () => {
    loading.current?.abort();
    setPlaying(false);
    setPast(null);
    setAt(null);
    setEnd(null);
    setTrouble("");
    clockAt.current = null;
    changeMap({ past: null });
    engine?.showPast(null);
    engine?.fill("past", EMPTY);
    writeAddress({ time: "", window: "" });
  };

  // A link to a moment of the past.
  useEffect(() => {
    if (engine && initial.time && !past) goTo(initial.time);
  }, [engine]);

  // Another driver, region or breadth: the same moment of other tracks.
  useEffect(() => {
    if (past && clockAt.current) goTo(clockAt.current, { fresh: true });
  }, [scope, region]);

  useEffect(() => {
    if (!playing || !past) return undefined;
    let last = performance.now();
    let told = 0;
    let frame = requestAnimationFrame(function step(time) {
      clockAt.current = Math.min(past.toMs, clockAt.current + (time - last) * speed);
      last = time;
      past.ensure(clockAt.current, Math.max(FINEST_MS, speed * 1000)).catch(complain);
      show(past, clockAt.current);
      if (time - told > 100 || clockAt.current >= past.toMs) {
        told = time;
        setAt(clockAt.current);
      }
      if (clockAt.current >= past.toMs) setPlaying(false);
      else frame = requestAnimationFrame(step);
    });
    return () => cancelAnimationFrame(frame);
  }, [playing, past, speed, show]);

  useEffect(() => {
    if (!playing && at) writeAddress({ time: new Date(at).toISOString().replace(/\.\d+Z/, "Z") });
  }, [playing]);

  const toggle = async () => {
    if (playing) {
      setPlaying(false);
      return;
    }
    const start = at && past && at < past.toMs - 1000 ? at : (past?.fromMs ?? now - hours * HOUR);
    await goTo(start);
    setPlaying(true);
  };

  const series = useMemo(() => (past ? speedSeries(past.tracks, past.fromMs, past.toMs, past.bins) : null), [past]);
  const inPast = at !== null;
  const shownAt = inPast ? at : now;
  const share = Math.max(0, Math.min(1, (shownAt - fromMs) / (toMs - fromMs)));
  return (
    <section className="wpm-bar" aria-label="Playback" data-past={inPast ? "" : undefined} data-tick={tick}>
      <button type="button" className="wp-button wpm-play" onClick={toggle} disabled={!engine || busy} aria-label={playing ? "Pause" : "Play the past"}>
        <svg viewBox="0 0 12 12" width="11" height="11" aria-hidden="true">
          <path d={playing ? "M2 1h3v10H2zM7 1h3v10H7z" : "M2 0.8v10.4L11 6z"} fill="currentColor" />
        </svg>
      </button>
      <label className="wpm-pick">
        <span className="wp-hidden-words">Speed</span>
        <select value={speed} onChange={(event) => setSpeed(Number(event.target.value))}>
          {SPEEDS.map((each) => <option key={each} value={each}>{each}x</option>)}
        </select>
      </label>
      <label className="wpm-pick">
        <span className="wp-hidden-words">Window</span>
        <select
          value={hours}
          onChange={(event) => {
            const next = Number(event.target.value);
            setHours(next);
            if (inPast) goTo(at, { hours: next, fresh: true });
          }}
        >
          {WINDOWS.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
        </select>
      </label>
      {driver && (
        <button type="button" className="wp-chip wpm-scope" aria-pressed={wide} onClick={() => setWide(!wide)}>Whole region</button>
      )}
      <span className="wpm-from">{clock(fromMs, zone)}</span>
      <div className="wpm-scrub">
        <Chart series={series} share={share} ticks={hourTicks(fromMs, toMs)} busy={busy} />
        <input
          type="range" min={0} max={1} step={0.0005} value={share} aria-label="Moment shown"
          aria-valuetext={`${clock(shownAt, zone, true)}${inPast ? "" : ", live"}`}
          onChange={(event) => {
            setPlaying(false);
            goTo(fromMs + Number(event.target.value) * (toMs - fromMs));
          }}
        />
      </div>
      <GoTo zone={zone} shownAt={shownAt} now={now} onGo={(ms) => { setPlaying(false); goTo(ms); }} />
      <button type="button" className="wp-chip wpm-live" aria-pressed={!inPast} onClick={goLive} data-live={inPast ? undefined : ""}>
        <span className="wp-shape" data-tone={inPast ? "off" : "good"} aria-hidden="true" />Live
      </button>
      {trouble && <p className="wpm-trouble" role="alert">{trouble}</p>}
    </section>
  );
}

function Chart({ series, share, ticks, busy }) {
  const paths = useMemo(() => series && linePaths(series), [series]);
  return (
    <svg className="wpm-chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" data-busy={busy ? "" : undefined}>
      {ticks.map((x) => <line key={x} x1={x} x2={x} y1={HEIGHT - 6} y2={HEIGHT} className="wpm-tick" />)}
      {paths ? <><path d={paths.area} className="wpm-area" /><path d={paths.line} className="wpm-line" /></>
        : <line x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} className="wpm-line" />}
      <line x1={share * WIDTH} x2={share * WIDTH} y1="0" y2={HEIGHT} className="wpm-cursor" />
    </svg>
  );
}

/* The line of a series and the area under it, broken where nothing is known. */
export function linePaths(series, width = WIDTH, height = HEIGHT) {
  const most = Math.max(4, ...series.filter((value) => value !== null));
  const step = width / Math.max(1, series.length - 1);
  let line = "";
  let area = "";
  let open = -1;
  series.forEach((value, i) => {
    const x = (i * step).toFixed(1);
    if (value === null) {
      if (open >= 0) area += `L${((i - 1) * step).toFixed(1)},${height}Z`;
      open = -1;
      return;
    }
    const y = (height - 1 - (value / most) * (height - 4)).toFixed(1);
    line += `${open < 0 ? "M" : "L"}${x},${y}`;
    area += open < 0 ? `M${x},${height}L${x},${y}` : `L${x},${y}`;
    if (open < 0) open = i;
  });
  if (open >= 0) area += `L${((series.length - 1) * step).toFixed(1)},${height}Z`;
  return { line, area, most };
}

function hourTicks(fromMs, toMs) {
  const span = toMs - fromMs;
  const every = span <= HOUR ? HOUR / 6 : span <= 3 * HOUR ? HOUR / 2 : HOUR;
  const ticks = [];
  for (let at = Math.ceil(fromMs / every) * every; at < toMs; at += every) {
    ticks.push(Math.round(((at - fromMs) / span) * WIDTH));
  }
  return ticks;
}

/* The moment shown; a press lets one type another, in the region's time. */
function GoTo({ zone, shownAt, now, onGo }) {
  const [open, setOpen] = useState(false);
  if (!open) {
    return (
      <button type="button" className="wpm-now" onClick={() => setOpen(true)} title={`${zone}: go to another moment`}>
        <span className="wp-hidden-words">Go to another moment, shown: </span>{clock(shownAt, zone, true)}
      </button>
    );
  }
  const commit = (text) => {
    const ms = zonedMoment(text, zone);
    setOpen(false);
    if (Number.isFinite(ms)) onGo(Math.min(ms, now));
  };
  return (
    <input
      type="datetime-local" className="wp-input wpm-goto" aria-label={`Go to, ${zone}`} autoFocus
      defaultValue={wallText(shownAt, zone)} max={wallText(now, zone)}
      onBlur={() => setOpen(false)}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit(event.currentTarget.value);
        if (event.key === "Escape") setOpen(false);
      }}
    />
  );
}

/* "2026-11-23T16:00" on the wall of a zone. */
function wallText(ms, zone) {
  return new Date(ms).toLocaleString("sv-SE", {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", timeZone: zone || undefined,
  }).replace(" ", "T");
}

/* The moment at which a zone's wall shows `text`. */
export function zonedMoment(text, zone) {
  const guess = Date.parse(`${text}Z`);
  const shown = Date.parse(`${wallText(guess, zone)}Z`);
  return guess - (shown - guess);
}
