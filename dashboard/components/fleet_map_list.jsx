/* The drivers in view beside the map: filters with counts, search, and a virtual list for the keyboard. */
import { useEffect, useMemo, useRef, useState } from "react";
import { speedOf } from "./fleet_map_frames.js";
import { latOf, lonOf } from "./fleet_map_points.js";
import { kmh, mapState, span, useMap } from "./fleet_map_store.js";

const ROW = 34;
const OVERSCAN = 6;
const STATUS = [
  ["live", "Live", "good"], ["stale", "Stale", "warning"], ["offline", "Offline", "off"], ["off_shift", "Off shift", "off"],
];
const VEHICLES = [["bike", "Bike"], ["van", "Van"], ["truck", "Truck"]];
const LARGE = 3000;

export function FleetList({ filters, onFilter, hubs, selected, onSelect, open, onOpen }) {
  const counts = useMap((state) => state.counts);
  return (
    <section className="wpm-list" aria-label="Drivers" data-open={open ? "" : undefined}>
      <button
        type="button" className="wpm-handle" aria-expanded={open} onClick={() => onOpen(!open)}
        aria-label={open ? "Make the list small" : "Make the list large"}
      />
      <Search value={filters.q} onChange={(q) => onFilter({ ...filters, q })} />
      <div className="wpm-chips" role="group" aria-label="Filters">
        {STATUS.map(([name, word, tone], i) => (
          <Chip key={name} on={filters.status.includes(name)} onClick={() => onFilter({ ...filters, status: toggled(filters.status, name) })}>
            <span className="wp-shape" data-tone={tone} aria-hidden="true" />
            {word} <b>{counts[i].toLocaleString("en-GB")}</b>
          </Chip>
        ))}
        {VEHICLES.map(([name, word]) => (
          <Chip key={name} on={filters.vehicle.includes(name)} onClick={() => onFilter({ ...filters, vehicle: toggled(filters.vehicle, name) })}>
            {word}
          </Chip>
        ))}
        <HubChip hubs={hubs} value={filters.hub} onChange={(hub) => onFilter({ ...filters, hub })} />
      </div>
      <Rows filters={filters} selected={selected} onSelect={onSelect} />
      <Foot />
    </section>
  );
}

const toggled = (list, name) => (list.includes(name) ? list.filter((each) => each !== name) : [...list, name]);

function Chip({ on, onClick, children }) {
  return <button type="button" className="wp-chip" aria-pressed={on} onClick={onClick}>{children}</button>;
}

function HubChip({ hubs, value, onChange }) {
  const chosen = hubs.find((hub) => hub.code === value);
  if (!hubs.length && !value) return null;
  return (
    <label className="wp-chip wpm-hub" data-on={value ? "" : undefined}>
      <span>{value ? `Hub ${chosen?.name ?? value}` : "+ Hub"}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)} aria-label="Hub">
        <option value="">Every hub</option>
        {hubs.map((hub) => <option key={hub.code} value={hub.code}>{hub.name}</option>)}
      </select>
    </label>
  );
}

function Search({ value, onChange }) {
  const [text, setText] = useState(value);
  const timer = useRef(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (next) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next.trim()), 220);
  };
  return (
    <div className="wpm-search">
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
        <path d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zm3.6-1.4L14 14" fill="none" stroke="currentColor" strokeWidth="1.5" />
      </svg>
      <input
        id="wpm-search" type="search" value={text} onChange={(event) => change(event.target.value)} autoComplete="off"
        placeholder="Code, name or plate" aria-label="Find a driver by code, name or plate"
        onKeyDown={(event) => event.key === "Escape" && text && (event.stopPropagation(), change(""))}
      />
      <kbd>/</kbd>
    </div>
  );
}

/* Slots of the drivers listed, by code; those outside the window are left out unless searched for. */
function useSlots(filters) {
  const tick = useMap((state) => state.tick);
  const held = useRef({ slots: [], at: 0 });
  return useMemo(() => {
    const { engine, past } = mapState();
    if (!engine) return [];
    const { points } = engine;
    const now = performance.now();
    if (points.size > LARGE && now - held.current.at < 2000 && held.current.filters === filters) return held.current.slots;
    const bounds = engine.map.getBounds();
    const [west, east, south, north] = [bounds.getWest(), bounds.getEast(), bounds.getSouth(), bounds.getNorth()];
    const ranked = [];
    for (let row = 0; row < points.size; row += 1) {
      const lon = lonOf(points.toX[row]);
      const lat = latOf(points.toY[row]);
      const inside = lon >= west && lon <= east && lat >= south && lat <= north;
      if (!inside && !filters.q) continue;
      const detail = points.details.get(points.slot[row]);
      if (detail) ranked.push([detail.code, points.slot[row]]);
    }
    ranked.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    held.current = { slots: ranked.map((pair) => pair[1]), at: now, filters, past };
    return held.current.slots;
  }, [tick, filters]);
}

function Rows({ filters, selected, onSelect }) {
  const past = useMap((state) => state.past);
  const slots = useSlots(filters);
  const mode = useMap((state) => state.mode);
  const inView = useMap((state) => state.inView);
  const box = useRef(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState(-1);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setHeight(entry.contentRect.height));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(top / ROW) - OVERSCAN);
  const last = Math.min(slots.length, Math.ceil((top + height) / ROW) + OVERSCAN);

  const goTo = (wanted) => {
    const next = Math.max(0, Math.min(slots.length - 1, wanted));
    setActive(next);
    const { scrollTop, clientHeight } = box.current;
    if (next * ROW < scrollTop) box.current.scrollTop = next * ROW;
    else if ((next + 1) * ROW > scrollTop + clientHeight) box.current.scrollTop = (next + 1) * ROW - clientHeight;
  };
  const keys = {
    ArrowDown: () => goTo(active + 1), ArrowUp: () => goTo(active - 1), Home: () => goTo(0), End: () => goTo(slots.length - 1),
    PageDown: () => goTo(active + Math.floor(height / ROW)), PageUp: () => goTo(active - Math.floor(height / ROW)),
    Enter: () => slots[active] !== undefined && onSelect(slots[active]),
    " ": () => slots[active] !== undefined && onSelect(slots[active]),
  };
  const empty = slots.length === 0;
  return (
    <div
      className="wpm-rows" ref={box} onScroll={(event) => setTop(event.currentTarget.scrollTop)} tabIndex={0}
      role={empty ? "group" : "listbox"} aria-label="Drivers in view"
      aria-activedescendant={!empty && active >= first && active < last ? `wpm-row-${active}` : undefined}
      onKeyDown={(event) => {
        const act = keys[event.key];
        if (act && !event.metaKey && !event.ctrlKey) {
          event.preventDefault();
          act();
        }
      }}
    >
      {past && <p className="wpm-note">The map shows the past; the list shows now.</p>}
      {empty ? <Nothing mode={mode} inView={inView} filters={filters} /> : (
        <div style={{ height: slots.length * ROW, position: "relative" }} role="presentation">
          {slots.slice(first, last).map((slot, i) => (
            <Row
              key={slot} slot={slot} at={first + i} of={slots.length} chosen={slot === selected}
              active={first + i === active} onPick={() => { setActive(first + i); onSelect(slot); }}
            />
          ))}
        </div>
      )}
    </div>
  );
}

function Row({ slot, at, of, chosen, active, onPick }) {
  const { engine } = mapState();
  const { points } = engine;
  const row = points.rowOf.get(slot);
  const detail = points.details.get(slot);
  if (row === undefined || !detail) return null;
  const status = points.state[row] & 3;
  const [, , tone] = STATUS[status];
  const speed = speedOf(points.speed[row]);
  const age = points.fixMs[row] ? Math.max(0, (engine.serverNow() - points.fixMs[row]) / 1000) : null;
  const words = status === 0 ? (speed !== null && speed >= 0.8 ? kmh(speed) : "standing") : STATUS[status][1].toLowerCase();
  return (
    <div
      id={`wpm-row-${at}`} className="wpm-row" role="option" aria-selected={chosen} aria-setsize={of} aria-posinset={at + 1}
      data-active={active ? "" : undefined} style={{ transform: `translateY(${at * ROW}px)` }} onClick={onPick}
      onMouseEnter={() => engine.hoverAt(slot)} onMouseLeave={() => engine.hoverAt(null)}
    >
      <span className="wpm-row-name wp-clip"><span className="wpm-code">{detail.code}</span> {detail.name}</span>
      <span className="wp-state"><span className="wp-shape" data-tone={tone} aria-hidden="true" />{words}</span>
      <span className="wpm-row-end wp-clip">{status === 0 ? detail.plate ?? detail.vehicle : age === null ? "" : span(age)}</span>
    </div>
  );
}

function Nothing({ mode, inView, filters }) {
  const tick = useMap((state) => state.tick);
  if (!tick) {
    return Array.from({ length: 12 }, (_, i) => (
      <div key={i} className="wpm-row wpm-bones" style={{ transform: `translateY(${i * ROW}px)` }}>
        <span className="wp-bone" style={{ width: 130 + ((i * 37) % 50) }} /><span className="wp-bone" style={{ width: 64 }} />
      </div>
    ));
  }
  if (mode === "cells") {
    return (
      <div className="wp-empty">
        <strong>{inView.toLocaleString("en-GB")} drivers in view</strong>
        <span>Zoom in or choose a cell to list them, or search by code, name or plate.</span>
      </div>
    );
  }
  const filtered = filters.q || filters.status.length || filters.vehicle.length || filters.hub;
  return (
    <div className="wp-empty">
      <strong>{filters.q ? "Nobody found" : "No drivers here"}</strong>
      <span>{filtered ? "Loosen the filters, or look elsewhere on the map." : "Move the map or choose another region."}</span>
    </div>
  );
}

/* How many, how fresh; told to screen readers every quarter of a minute and no more. */
function Foot() {
  const tick = useMap((state) => state.tick);
  const inView = useMap((state) => state.inView);
  const counts = useMap((state) => state.counts);
  const [spoken, setSpoken] = useState("");
  useEffect(() => {
    const timer = setInterval(() => {
      const { counts: now, inView: seen } = mapState();
      setSpoken(`${now[0]} drivers live, ${now[1]} stale, ${now[2]} offline, ${seen} in view.`);
    }, 15000);
    return () => clearInterval(timer);
  }, []);
  const age = tick ? mapState().engine?.dataAge() : null;
  const total = counts[0] + counts[1] + counts[2];
  return (
    <div className="wpm-foot">
      <span><b>{inView.toLocaleString("en-GB")}</b> in view of {total.toLocaleString("en-GB")}</span>
      <span title="Age of the newest position">{age === null || age === undefined ? "" : `data ${span(age)} old`}</span>
      <span className="wp-hidden-words" aria-live="polite">{spoken}</span>
    </div>
  );
}
