/* The live map: its frame, keys and address around the engine; `mini` is the map alone. */
import { useEffect, useRef, useState } from "react";
import { placeText, readAddress, writeAddress } from "./fleet_map_address.js";
import { provideChoice } from "./fleet_map_driver.jsx";
import { FleetMapEngine } from "./fleet_map_engine.js";
import { speedOf } from "./fleet_map_frames.js";
import { boundsOf, cityOf, hubsOf, useGeography, widened } from "./fleet_map_geography.js";
import { FleetList } from "./fleet_map_list.jsx";
import { Playback } from "./fleet_map_playback.jsx";
import { changeMap, getJson, kmh, mapState, span, useMap } from "./fleet_map_store.js";
import "./fleet_map.css";

export { CloseButton, DriverLive, DriverTrack, FollowButton } from "./fleet_map_driver.jsx";

const STALLED_S = 5;
const OLD_S = 20;
const STATUS_WORDS = ["live", "stale", "offline", "off shift"];
const GROUPS = [["regions", "Region outlines"], ["hubs", "Hubs"], ["geofences", "Geofences"]];
const NARROW = "(max-width: 820px)";

export function FleetMap({ region = "", zone = "UTC", styles = null, stylesKnown = false, mini = false, label, onSelect, children }) {
  const box = useRef(null);
  const initial = useRef(null);
  initial.current ??= mini ? readAddress("") : readAddress();
  const [engine, setEngine] = useState(null);
  const [filters, setFilters] = useState(initial.current.filters);
  const [groups, setGroups] = useState(() => Object.fromEntries(GROUPS.map(([name]) => [name, !initial.current.hidden.includes(name)])));
  const [geography, setGeography] = useState(null);
  const [driver, setDriver] = useState(initial.current.driver);
  const [hover, setHover] = useState(null);
  const [sheet, setSheet] = useState(false);
  const stylesReady = useRef(null);
  stylesReady.current ??= promised();
  if (stylesKnown) stylesReady.current.resolve(styles);

  useEffect(() => {
    const made = new FleetMapEngine(box.current, {
      place: initial.current.place, styles: stylesReady.current.promise, padding: paddingOf(mini), label,
    }, {
      change: () => tell(made, mini),
      link: (link, detail = "") => {
        if (link === "signed_out") window.location.reload();
        if (!mini) changeMap({ link, linkDetail: detail });
      },
      select: (found) => mapState().choose?.(found),
      hover: setHover,
      follow: (following) => {
        changeMap({ following });
        writeAddress({ follow: following });
      },
      moved: (center, zoom) => !mini && writeAddress({ at: placeText(center, zoom) }),
    });
    box.current.fleetMap = made;
    setEngine(made);
    if (!mini) changeMap({ engine: made, tick: 0 });
    return () => {
      if (!mini) changeMap({ engine: null, past: null, choose: null, following: false });
      made.close();
    };
  }, []);

  useGeography(engine, setGeography);
  useRegion(engine, region, geography, filters, setFilters, Boolean(initial.current.place) || Boolean(initial.current.driver));
  useEffect(() => engine?.showGroups(groups), [engine, groups]);
  useChoice({ engine, driver, setDriver, onSelect, mini, initial });
  useKeys(mini);

  if (mini) {
    return (
      <div className="wpm wpm-mini">
        <div ref={box} className="wpm-map" />
        {hover !== null && engine && <HoverCard engine={engine} target={hover} />}
      </div>
    );
  }
  const change = (next) => {
    setFilters(next);
    writeAddress(filterAddress(next));
  };
  const hubs = hubsOf(geography, region);
  const slot = engine?.points.slotOf.get(driver);
  return (
    <div className="wpm" data-chosen={driver ? "" : undefined} data-sheet={sheet ? "" : undefined}>
      <div ref={box} className="wpm-map" />
      <FleetList
        filters={filters} onFilter={change} hubs={hubs} selected={slot} open={sheet} onOpen={setSheet}
        onSelect={(chosen) => mapState().choose?.(chosen)}
      />
      <Tools engine={engine} groups={groups} onGroups={(next) => {
        setGroups(next);
        writeAddress({ hide: Object.keys(next).filter((name) => !next[name]) });
      }} onHome={() => engine && geography && region && engine.camera.fit(boundsOf(geography, region))} />
      <div className="wpm-panel" hidden={!driver}>{children}</div>
      <Playback
        region={region} zone={zone} driver={driver} initial={initial.current}
        driverDetail={slot === undefined ? null : engine.points.details.get(slot)}
      />
      <Banner />
      {hover !== null && engine && <HoverCard engine={engine} target={hover} />}
    </div>
  );
}

function promised() {
  const out = {};
  out.promise = new Promise((resolve) => { out.resolve = resolve; });
  return out;
}

function tell(engine, mini) {
  if (mini || !engine.frame) return;
  const { counts, inView } = engine.frame;
  changeMap({ counts, inView, mode: engine.mode, tick: mapState().tick + 1 });
}

function paddingOf(mini) {
  if (mini) {
    // Room for the cells of the outermost cities, which are wider than the cities are.
    const room = window.matchMedia(NARROW).matches ? 28 : 52;
    return { left: room, right: room, top: room, bottom: room };
  }
  return window.matchMedia(NARROW).matches
    ? { left: 16, right: 16, top: 16, bottom: 220 }
    : { left: 396, right: 40, top: 40, bottom: 104 };
}

/* Shows the chosen region and the filters; the camera moves only when the region changes. */
function useRegion(engine, region, geography, filters, setFilters, placed) {
  const shown = useRef(null);
  useEffect(() => {
    if (!engine || !geography || !region) return;
    const first = shown.current === null;
    if (shown.current !== region) {
      shown.current = region;
      engine.stress(cityOf(region));
      if (!first && filters.hub) setFilters({ ...filters, hub: "" });
      if (!first || !placed) engine.camera.fit(boundsOf(geography, region), !first);
      if (!first) {
        // The frame writes an address of its own for the other region: ours is put back after it.
        setTimeout(() => writeAddress({ region, ...filterAddress(filters) }), 400);
      }
    }
    engine.filter(filters, region, filters.q ? widened(boundsOf(geography, region)) : null);
  }, [engine, geography, region, filters]);
}

/* The chosen driver: from a click, the list, the address or the panel's close button. */
function useChoice({ engine, driver, setDriver, onSelect, mini, initial }) {
  const tick = useMap((state) => (mini ? 0 : state.tick));
  useEffect(() => {
    if (!engine || mini) return undefined;
    provideChoice((target) => {
      const id = typeof target === "object" ? target?.id ?? "" : engine.points.details.get(target)?.id ?? "";
      setDriver(id);
      changeMap({ driver: id });
      engine.select(typeof target === "number" ? target : engine.points.slotOf.get(id) ?? null);
      writeAddress({ driver: id, follow: id ? mapState().following : "" });
      onSelect?.(id);
      if (typeof target === "number") engine.reveal(target);
    });
    return () => provideChoice(null);
  }, [engine]);
  // A driver named by the address: shown where it is as soon as that is known.
  useEffect(() => {
    if (!engine || mini || !initial.current.driver) return;
    const id = initial.current.driver;
    changeMap({ driver: id });
    onSelect?.(id);
    if (initial.current.place) return;
    getJson(`/api/v1/drivers/${encodeURIComponent(id)}`).then((found) => {
      if (found.position) engine.map.jumpTo({ center: [found.position.lon, found.position.lat], zoom: 14 });
    }, () => {});
  }, [engine]);
  useEffect(() => {
    if (!engine || mini) return;
    const slot = engine.points.slotOf.get(driver) ?? null;
    if (slot !== engine.selected) engine.select(slot);
    if (initial.current.follow && slot !== null && engine.points.rowOf.has(slot)) {
      initial.current.follow = false;
      engine.follow(true);
    }
  }, [engine, driver, tick]);
}

function useKeys(mini) {
  useEffect(() => {
    if (mini) return undefined;
    const press = (event) => {
      const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
      if (typing || document.querySelector("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
      const { engine, driver, following, choose } = mapState();
      if (event.key === "f" && driver) engine?.follow(!following);
      else if (event.key === "/") document.getElementById("wpm-search")?.focus();
      else if (event.key === "Escape" && driver) choose?.(null);
      else return;
      event.preventDefault();
      // Before the frame, whose search answers to "/" on other pages.
      event.stopImmediatePropagation();
    };
    window.addEventListener("keydown", press, true);
    return () => window.removeEventListener("keydown", press, true);
  }, [mini]);
}

function Tools({ engine, groups, onGroups, onHome }) {
  return (
    <div className="wpm-tools">
      <button type="button" className="wpm-tool" aria-label="Closer" onClick={() => engine?.camera.zoomBy(1)}>+</button>
      <button type="button" className="wpm-tool" aria-label="Farther" onClick={() => engine?.camera.zoomBy(-1)}>−</button>
      <button type="button" className="wpm-tool" aria-label="Show the whole region" onClick={onHome}>
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" fill="none" stroke="currentColor" strokeWidth="1.5" />
        </svg>
      </button>
      <details className="wp-menu wpm-layers">
        <summary className="wpm-tool" aria-label="Layers">
          <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
            <path d="M8 2l6 3.2L8 8.4 2 5.2zM2.6 8.4L8 11.2l5.4-2.8M2.6 11.2L8 14l5.4-2.8" fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round" />
          </svg>
        </summary>
        <fieldset className="wpm-layer-list">
          <legend>Layers</legend>
          {GROUPS.map(([name, word]) => (
            <label key={name}>
              <input type="checkbox" checked={groups[name]} onChange={() => onGroups({ ...groups, [name]: !groups[name] })} /> {word}
            </label>
          ))}
          <div className="wpm-legend" aria-label="Legend" role="group">
            <span><span className="wpm-arrow" aria-hidden="true" />live, heading</span>
            <span><span className="wp-shape" data-tone="good" aria-hidden="true" />live, standing</span>
            <span><span className="wp-shape" data-tone="warning" aria-hidden="true" />stale</span>
            <span><span className="wp-shape" data-tone="off" aria-hidden="true" />offline</span>
          </div>
        </fieldset>
      </details>
    </div>
  );
}

/* Says when what is shown is not live, and why. */
function Banner() {
  const link = useMap((state) => state.link);
  const detail = useMap((state) => state.linkDetail);
  const past = useMap((state) => state.past);
  const [, beat] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => beat((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  const text = past ? "" : bannerText(link, detail);
  return <div className="wpm-banner-box" role="status">{text && <div className="wpm-banner"><span className="wp-shape" data-tone="warning" aria-hidden="true" />{text}</div>}</div>;
}

function bannerText(link, detail) {
  if (link === "forbidden") return "You may not see live positions here.";
  if (link === "too_many") return detail || "Too many live maps are open. Close one and reload.";
  const { engine } = mapState();
  const age = engine?.dataAge();
  const silent = engine?.frameAt ? (performance.now() - engine.frameAt) / 1000 : 0;
  const old = age === null || age === undefined ? silent : age;
  if (link !== "open" && engine?.frame) return `Connection lost, data is ${span(Math.max(old, silent))} old. Trying again.`;
  if (silent > STALLED_S) return `The feed stalls, data is ${span(Math.max(old, silent))} old.`;
  if (engine?.frame?.sourceLost) return `The server has lost its source, data is ${span(old)} old.`;
  if (age !== null && age !== undefined && age > OLD_S) return `Data is ${span(age)} old: no phone has reported since.`;
  return "";
}

function HoverCard({ engine, target }) {
  useMap((state) => state.tick);
  const past = typeof target === "object" ? target : null;
  const at = past ? engine.pastScreen(past) : engine.screenOf(target);
  const detail = past ?? engine.points.details.get(target);
  const row = past ? undefined : engine.points.rowOf.get(target);
  if (!at || !detail) return null;
  const speed = row === undefined ? null : speedOf(engine.points.speed[row]);
  const words = row === undefined ? "" : [STATUS_WORDS[engine.points.state[row] & 3], speed === null ? "" : kmh(speed), detail.vehicle].filter(Boolean).join(", ");
  return (
    <div className="wpm-hover" style={{ transform: `translate(${Math.round(at.x + 12)}px, ${Math.round(at.y - 14)}px)` }} aria-hidden="true">
      <strong>{detail.code}</strong> {detail.name}<br /><span className="wp-muted">{words}</span>
    </div>
  );
}

const filterAddress = ({ status, vehicle, hub, q }) => ({ status, vehicle, hub, q });
