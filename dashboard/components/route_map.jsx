/* One order's or one driver's way on a map: planned line, driven track, stops, and the driver now. */
import * as maplibregl from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { useEffect, useRef, useState } from "react";
import { baseStyle, EMPTY, Waters, WATERS } from "./fleet_map_base.js";
import { driverTrack, trackLine } from "./fleet_map_history.js";
import { clock, getJson, span } from "./fleet_map_store.js";
import { alpha, readTheme, watchTheme } from "./fleet_map_theme.js";
import "./route_map.css";

maplibregl.setWorkerUrl(workerUrl);

const TRACK_EVERY_MS = 15000;
const LONGEST_MS = 36 * 3600 * 1000;
const STYLE_WAIT_MS = 1200;
const ASIA = [[68, -8], [125, 32]];

const lineOf = (parts) => ({
  type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: parts },
});

/* The map without React: lines as sources that survive a change of style, marks as elements. */
class RouteMap {
  constructor(container, label, styles) {
    this.styles = styles;
    this.lines = { planned: EMPTY, driven: EMPTY };
    this.marks = [];
    this.driverMark = null;
    this.waters = new Waters(WATERS);
    this.theme = readTheme();
    this.map = new maplibregl.Map({
      container, bounds: ASIA, minZoom: 2, maxZoom: 18, dragRotate: false, pitchWithRotate: false,
      touchPitch: false, renderWorldCopies: false, attributionControl: false, cooperativeGestures: true, fadeDuration: 120,
      style: { version: 8, sources: {}, layers: [{ id: "sea", type: "background", paint: { "background-color": this.theme.water } }] },
    });
    this.map.addControl(new maplibregl.AttributionControl({ compact: true }), "bottom-right");
    this.map.once("idle", () => {
      // On so small a map the credit is one click away instead of over the way.
      const credit = container.querySelector(".maplibregl-ctrl-attrib");
      credit?.classList.remove("maplibregl-compact-show");
      credit?.removeAttribute("open");
    });
    this.map.getCanvas().setAttribute("aria-label", label);
    this.map.on("style.load", () => this.dress());
    this.map.on("moveend", () => this.waters.show(this.map, this.map.getBounds()));
    // Tiles of a foreign base map that fail are its own matter: the lines stay.
    this.map.on("error", (event) => (event.sourceId && !this.bundled) || console.warn("map:", event.error?.message));
    this.stopTheme = watchTheme((theme) => {
      this.theme = theme;
      this.restyle();
    });
    this.restyle();
  }

  close() {
    this.closed = true;
    this.stopTheme();
    this.map.remove();
  }

  async restyle() {
    const turn = (this.styling ?? 0) + 1;
    this.styling = turn;
    const found = await Promise.race([
      this.styles, new Promise((done) => { setTimeout(done, STYLE_WAIT_MS, null); }),
    ]);
    const { style, bundled } = await baseStyle(found?.[this.theme.dark ? 1 : 0] ?? "", this.theme);
    if (this.closed || turn !== this.styling) return;
    this.bundled = bundled;
    this.map.setStyle(style, { diff: false });
  }

  dress() {
    if (this.closed || !this.styling) return;
    const round = { "line-cap": "round", "line-join": "round" };
    for (const [name, data] of Object.entries(this.lines)) this.map.addSource(name, { type: "geojson", data, tolerance: 0 });
    this.map.addLayer({
      id: "planned", type: "line", source: "planned", layout: round,
      paint: { "line-color": this.theme.accent, "line-width": 2.2, "line-dasharray": [0.4, 2.2], "line-opacity": 0.9 },
    });
    this.map.addLayer({
      id: "driven-under", type: "line", source: "driven", layout: round,
      paint: { "line-color": alpha(this.theme.land, 0.85), "line-width": 6 },
    });
    this.map.addLayer({
      id: "driven", type: "line", source: "driven", layout: round,
      paint: { "line-color": this.theme.accent, "line-width": 2.8 },
    });
    this.waters.show(this.map, this.map.getBounds());
  }

  draw(name, parts) {
    this.lines[name] = parts.length ? lineOf(parts) : EMPTY;
    this.map.getSource(name)?.setData(this.lines[name]);
  }

  place(stops) {
    for (const mark of this.marks) mark.remove();
    this.marks = stops.map((stop) => {
      const element = document.createElement("div");
      element.className = "wpr-stop";
      element.dataset.kind = stop.kind;
      if (stop.done) element.dataset.done = "";
      element.title = stop.label;
      element.textContent = stop.mark ?? "";
      return new maplibregl.Marker({ element }).setLngLat([stop.lon, stop.lat]).addTo(this.map);
    });
  }

  placeDriver(position) {
    this.driverMark?.remove();
    this.driverMark = null;
    if (!position) return;
    const element = document.createElement("div");
    element.className = "wpr-driver";
    element.dataset.status = position.status;
    element.title = position.label;
    const turned = position.bearing !== null && position.bearing !== undefined;
    element.innerHTML = turned
      ? '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2l7 19-7-4.4L5 21z"/></svg>'
      : '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="7"/></svg>';
    if (turned) element.firstChild.style.transform = `rotate(${position.bearing}deg)`;
    this.driverMark = new maplibregl.Marker({ element }).setLngLat([position.lon, position.lat]).addTo(this.map);
  }

  fit(places) {
    if (!places.length) return;
    const box = new maplibregl.LngLatBounds();
    for (const place of places) box.extend(place);
    this.map.fitBounds(box, { padding: 44, maxZoom: 15, animate: false });
  }
}

/*
 * `stops` are { lat, lon, kind, label, mark?, done? }, `planned` lists of [lon, lat]. With a `driver`
 * the track between `since` and `until` is drawn; while `until` is empty it grows, and the driver's
 * newest place is shown.
 */
export function OrderWay({
  stops = [], planned = [], driver = "", since = "", until = "", zone = "UTC", styles = null,
  stylesKnown = false, label = "Map",
}) {
  const box = useRef(null);
  const [way, setWay] = useState(null);
  const [told, setTold] = useState("");
  const fitted = useRef("");
  const stylesReady = useRef(null);
  stylesReady.current ??= promised();
  if (stylesKnown) stylesReady.current.resolve(styles);

  useEffect(() => {
    const made = new RouteMap(box.current, label, stylesReady.current.promise);
    box.current.routeMap = made;
    setWay(made);
    return () => made.close();
  }, []);

  const shape = JSON.stringify(stops);
  const lines = JSON.stringify(planned);
  useEffect(() => {
    if (!way) return;
    way.place(stops);
    way.draw("planned", planned.filter((part) => part.length > 1));
    // Which places there are decides the view; what became of them does not move it.
    const places = stops.map((stop) => [stop.lon, stop.lat]);
    const key = JSON.stringify(places);
    if (fitted.current === key) return;
    fitted.current = key;
    way.fit([...places, ...planned.flat()]);
  }, [way, shape, lines]);

  useEffect(() => {
    if (!way) return undefined;
    if (!driver || !since) {
      way.draw("driven", []);
      way.placeDriver(null);
      setTold("");
      return undefined;
    }
    const control = new AbortController();
    const look = async () => {
      if (document.visibilityState !== "visible") return;
      const end = until ? Date.parse(until) : Date.now();
      const begin = Math.max(Date.parse(since), end - LONGEST_MS);
      try {
        const track = await driverTrack(driver, begin, end, control.signal);
        way.draw("driven", trackLine(track));
        const found = until ? null : await getJson(`/api/v1/drivers/${encodeURIComponent(driver)}`, {}, control.signal);
        if (control.signal.aborted) return;
        way.placeDriver(found?.position && { ...found.position, status: found.status, label: `${found.code} ${found.name}` });
        setTold(wordsOf(track, found, zone, until));
      } catch (error) {
        if (!control.signal.aborted) setTold(error.message);
      }
    };
    look();
    const timer = until ? null : setInterval(look, TRACK_EVERY_MS);
    return () => {
      control.abort();
      clearInterval(timer);
    };
  }, [way, driver, since, until, zone]);

  return (
    <div className="wpr">
      <div ref={box} className="wpr-map" />
      {told && <p className="wpr-told" aria-live="polite">{told}</p>}
    </div>
  );
}

function promised() {
  const out = {};
  out.promise = new Promise((resolve) => { out.resolve = resolve; });
  return out;
}

/* What is known of the driver, in words beside the drawing. */
function wordsOf(track, found, zone, until) {
  if (until) return track.t.length ? "" : "No positions were sent on this way.";
  if (!found?.position) return "The driver's phone has not told where it is.";
  const at = Date.parse(found.position.recorded_at);
  const age = Math.max(0, (Date.now() - at) / 1000);
  const words = { live: "live", stale: "stale", offline: "offline", off_shift: "off shift" }[found.status];
  return `${found.code} ${words}, seen ${span(Math.floor(age)).replace(".0", "")} ago at ${clock(at, zone)}`;
}
