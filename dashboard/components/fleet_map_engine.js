/* The map without its frame: MapLibre, the drivers' layer, the feed, selection and follow. */
import * as maplibregl from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import { baseStyle, EMPTY, Waters, WATERS } from "./fleet_map_base.js";
import { Camera } from "./fleet_map_camera.js";
import { LiveFeed } from "./fleet_map_feed.js";
import { bearingOf, MOVING } from "./fleet_map_frames.js";
import { ACCENT, GLYPH, GlyphCanvas, glyphRadius, STRONG } from "./fleet_map_glyphs.js";
import { addOverlays, cellFeatures, showGroups, stressRegion } from "./fleet_map_overlays.js";
import { latOf, lonOf, mercatorX, mercatorY, Points } from "./fleet_map_points.js";
import { glyphPalette, readTheme, watchTheme } from "./fleet_map_theme.js";

maplibregl.setWorkerUrl(workerUrl);

const STYLE_WAIT_MS = 1200;
const VIEW_SETTLE_MS = 140;
const MARGIN = 0.25; // of the view, asked for around it so that a small move needs nothing new
const HIT_PX = 14;
const STATUS_GLYPH = [GLYPH.arrow, GLYPH.square, GLYPH.ring, GLYPH.hollow];
const MARKED = 1.35; // times the size: the chosen driver, and the halo around it
const HALO = 2.5;
const ASIA = [[68, -8], [125, 32]];

export class FleetMapEngine {
  /* `on` holds change(), select(slot|null), hover(slot|null, point), link(state), cells(index), dress(map, theme, content, bundled). */
  constructor(container, options, on) {
    this.on = on;
    this.options = options;
    this.points = new Points();
    this.waters = new Waters(WATERS);
    this.content = {};
    this.groups = {};
    this.filters = { status: [], vehicle: [], hub: "", q: "" };
    this.shownStatuses = [0, 1, 2];
    this.mode = "points";
    this.selected = null;
    this.hovered = null;
    this.reduced = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.theme = readTheme();
    this.map = new maplibregl.Map({
      container,
      style: { version: 8, sources: {}, layers: [{ id: "sea", type: "background", paint: { "background-color": this.theme.water } }] },
      ...(options.place
        ? { center: [options.place[1], options.place[0]], zoom: options.place[2] }
        : { bounds: options.bounds ?? ASIA, fitBoundsOptions: { padding: options.padding ?? 0 } }),
      minZoom: 2, maxZoom: 18, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      renderWorldCopies: false, attributionControl: false, fadeDuration: 120,
      canvasContextAttributes: { antialias: false },
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new maplibregl.AttributionControl({ compact: true }), "bottom-right");
    this.map.addControl(new maplibregl.ScaleControl({ maxWidth: 96 }), "bottom-right");
    this.map.getCanvas().setAttribute("aria-label", options.label ?? "Live map of drivers");
    this.glyphs = new GlyphCanvas(this.map);
    this.glyphs.palette = glyphPalette(this.theme);
    this.camera = new Camera(this.map, options.padding, this.reduced, on.follow);
    this.listen();
    this.restyle();
    // Known too late to be waited for, but better than what is bundled.
    options.styles?.then((found) => this.bundled && found?.some(Boolean) && this.restyle());
    this.stopTheme = watchTheme((theme) => {
      this.theme = theme;
      this.restyle();
    });
    this.feed = new LiveFeed({
      hello: (message, same) => this.greeted(message, same),
      frame: (frame) => this.take(frame),
      drivers: (rows) => this.learn(rows),
      link: (state, detail) => this.on.link?.(state, detail),
    });
    this.feed.start();
  }

  close() {
    this.closed = true;
    clearTimeout(this.viewTimer);
    this.stopTheme();
    this.feed.stop();
    this.glyphs.close();
    this.map.remove();
  }

  listen() {
    const { map } = this;
    map.on("moveend", () => {
      this.waters.show(map, map.getBounds());
      this.lookSoon();
      this.on.moved?.(map.getCenter(), map.getZoom());
    });
    map.on("move", () => this.lookSoon());
    map.on("click", (event) => this.pick(event));
    map.on("mousemove", (event) => this.point(event));
    map.on("mouseout", () => this.hoverAt(null));
    map.on("style.load", () => this.dress());
    // Tiles of a foreign base map that fail are its own matter: the drivers stay.
    map.on("error", (event) => (event.sourceId && !this.bundled) || console.warn("map:", event.error?.message));
  }

  /* Loads the base map that fits the theme; the newest call wins. */
  async restyle() {
    const turn = (this.styling ?? 0) + 1;
    this.styling = turn;
    const addresses = await Promise.race([
      this.options.styles, new Promise((done) => { setTimeout(done, STYLE_WAIT_MS, null); }),
    ]);
    const { style, bundled } = await baseStyle(addresses?.[this.theme.dark ? 1 : 0] ?? "", this.theme);
    if (this.closed || turn !== this.styling) return;
    this.bundled = bundled;
    this.map.setStyle(style, { diff: false });
  }

  dress() {
    if (this.closed || !this.styling) return;
    addOverlays(this.map, this.theme, this.content, this.bundled, this.groups);
    this.on.dress?.(this.map, this.theme, this.content, this.bundled);
    stressRegion(this.map, this.region ?? "");
    this.glyphs.palette = glyphPalette(this.theme);
    this.glyphs.drawSoon();
    if (this.cellsFrame) this.drawCells();
    this.waters.show(this.map, this.map.getBounds());
  }

  /* Regions, geofences, trail or past as GeoJSON. */
  fill(name, data) {
    this.content[name] = data;
    this.map.getSource(name)?.setData(data ?? EMPTY);
  }

  showGroups(groups) {
    this.groups = groups;
    if (this.map.getLayer("region-fill")) showGroups(this.map, groups);
  }

  stress(code) {
    this.region = code;
    stressRegion(this.map, code);
  }

  /* Who to show; the view is asked for again when it changed. */
  filter(filters, region, wholeRegion) {
    this.filters = filters;
    this.regionFilter = region;
    this.wholeRegion = wholeRegion;
    this.shownStatuses = filters.status.length
      ? ["live", "stale", "offline", "off_shift"].flatMap((name, i) => (filters.status.includes(name) ? [i] : []))
      : [0, 1, 2];
    this.asked = null;
    this.look();
  }

  lookSoon() {
    if (this.viewTimer) return;
    this.viewTimer = setTimeout(() => {
      this.viewTimer = null;
      this.look();
    }, VIEW_SETTLE_MS);
  }

  /* Ask the feed for the view with a margin, unless what it sends already covers the view. */
  look() {
    if (!this.regionFilter) return;
    const bounds = this.map.getBounds();
    const [west, south, east, north] = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    const zoom = this.map.getZoom();
    const searching = Boolean(this.wholeRegion);
    const held = this.asked;
    const covered = held && west >= held.box[0] && south >= held.box[1] && east <= held.box[2] && north <= held.box[3];
    if (covered && (held.searching || Math.abs(zoom - held.zoom) < 0.5)) return;
    const [dx, dy] = [(east - west) * MARGIN, (north - south) * MARGIN];
    const box = searching
      ? this.wholeRegion
      : [west - dx, Math.max(-85, south - dy), east + dx, Math.min(85, north + dy)];
    this.asked = { box: searching ? [-540, -90, 540, 90] : box, zoom, searching };
    const { status, vehicle, hub, q } = this.filters;
    const filters = {};
    if (this.regionFilter && this.regionFilter !== "*") filters.region = this.regionFilter;
    if (status.length) filters.status = status;
    if (vehicle.length) filters.vehicle = vehicle;
    if (hub) filters.hub = hub;
    if (q) filters.q = q;
    this.feed.look({ bbox: box, zoom, filters, mode: searching ? "points" : "auto" });
  }

  greeted(message, sameEpoch) {
    this.tickMs = message.tick_s * 1000;
    if (!sameEpoch) {
      this.points.clear(true);
      this.selected = null;
    }
    this.look();
  }

  learn(rows) {
    this.points.learn(rows);
    this.on.change?.();
  }

  take(frame) {
    this.frame = frame;
    this.frameAt = performance.now();
    this.mode = frame.kind === "cells" ? "cells" : "points";
    if (frame.kind === "cells") {
      this.points.clear();
      this.cellsFrame = frame;
      this.drawCells();
    } else {
      if (this.cellsFrame) {
        this.cellsFrame = null;
        this.drawCells();
      }
      this.points.apply(frame, this.past ? 1 : this.glyphs.progress);
      if (!this.past) this.glyphs.begin(this.reduced.matches ? 0 : this.tickMs * 1.08);
    }
    if (!this.past) this.draw();
    this.keepFollowing();
    this.on.change?.();
  }

  /* Write the drivers: quiet ones below, live ones above, the chosen one on top. */
  draw() {
    if (this.past) return;
    const { points, glyphs } = this;
    const center = this.map.getCenter();
    const origin = [mercatorX(center.lng), mercatorY(center.lat)];
    glyphs.write(points.size + 3, origin, (put) => {
      for (const status of [3, 2, 1, 0]) {
        for (let row = 0; row < points.size; row += 1) {
          if ((points.state[row] & 3) === status && points.slot[row] !== this.selected) this.place(put, row, false);
        }
      }
      const row = points.rowOf.get(this.selected);
      if (row !== undefined) this.place(put, row, true);
    });
  }

  place(put, row, chosen) {
    const { points } = this;
    const [x0, y0, x1, y1] = [points.fromX[row], points.fromY[row], points.toX[row], points.toY[row]];
    const status = points.state[row] & 3;
    const before = bearingOf(points.bearingBefore[row]);
    const now = bearingOf(points.bearing[row]);
    let glyph = STATUS_GLYPH[status];
    if (status === 0 && now === null) glyph = GLYPH.dot;
    const turns = glyph === GLYPH.arrow;
    const marked = chosen || points.slot[row] === this.hovered;
    if (marked) put(x0, y0, x1, y1, 0, 0, GLYPH.halo, ACCENT, HALO);
    put(
      x0, y0, x1, y1, turns ? before ?? now : 0, turns ? now : 0, glyph,
      chosen ? STRONG : status, marked ? MARKED : 1,
    );
  }

  async drawCells() {
    const { cellsFrame } = this;
    if (!cellsFrame || this.past) {
      this.fill("cells", EMPTY);
      this.fill("cell-marks", EMPTY);
      return;
    }
    this.h3 ??= await import("h3-js");
    if (this.cellsFrame !== cellsFrame) return;
    const boundary = (index) => this.h3.cellToBoundary(index, true);
    const { cells, marks } = cellFeatures(cellsFrame, this.theme, boundary, this.shownStatuses);
    this.fill("cells", cells);
    this.fill("cell-marks", marks);
  }

  /* The driver under a point of the screen, or null. */
  under(point, reach = HIT_PX) {
    if (this.past) return this.past.under?.(this.map.unproject(point), this.mercatorReach(reach)) ?? null;
    const at = this.map.unproject(point);
    return this.points.nearest(mercatorX(at.lng), mercatorY(at.lat), this.mercatorReach(reach), this.glyphs.progress);
  }

  mercatorReach(px) {
    return px / (512 * 2 ** this.map.getZoom());
  }

  pick(event) {
    const slot = this.under(event.point);
    if (slot !== null) {
      this.on.select?.(slot);
      return;
    }
    if (this.mode === "cells") {
      this.map.easeTo({ center: event.lngLat, zoom: this.map.getZoom() + 2, animate: !this.reduced.matches });
      return;
    }
    this.on.select?.(null);
  }

  point(event) {
    if (event.originalEvent.buttons) return;
    this.hoverAt(this.under(event.point, glyphRadius(this.map.getZoom(), this.points.size) + 3));
  }

  hoverAt(slot) {
    if (slot === this.hovered) return;
    this.hovered = slot;
    this.map.getCanvas().style.cursor = slot === null && this.mode !== "cells" ? "" : "pointer";
    this.draw();
    this.on.hover?.(slot);
  }

  select(slot) {
    this.selected = slot;
    if (slot === null) this.follow(false);
    this.draw();
  }

  /* Move so that a driver is seen, if it is not. */
  reveal(slot) {
    const shown = this.points.shown(slot, 1);
    if (shown) this.camera.reveal(shown);
  }

  /* Where a driver of the past is on the screen. */
  pastScreen(track) {
    const place = this.past?.shown.find((each) => each.track === track);
    return place ? this.map.project([lonOf(place.x), latOf(place.y)]) : null;
  }

  /* Where a driver is on the screen, for what is drawn beside it in HTML. */
  screenOf(slot) {
    const shown = this.points.shown(slot, this.glyphs.progress);
    return shown && this.map.project([shown.lon, shown.lat]);
  }

  follow(on) {
    this.camera.follow(on);
    this.keepFollowing();
  }

  keepFollowing() {
    const row = this.points.rowOf.get(this.selected);
    if (row === undefined || this.past) return;
    const moving = (this.points.state[row] & MOVING) !== 0;
    this.camera.keep(this.points.shown(this.selected, 1), moving, this.tickMs);
  }

  /* Show a moment of the past instead of now: `past` has write(put, origin) and under(); null is now. */
  showPast(past) {
    const entered = past && !this.past;
    this.past = past;
    this.glyphs.begin(0);
    if (!past) {
      this.draw();
      return;
    }
    if (entered) {
      this.fill("cells", EMPTY);
      this.fill("cell-marks", EMPTY);
    }
    const center = this.map.getCenter();
    const origin = [mercatorX(center.lng), mercatorY(center.lat)];
    this.glyphs.write(past.size + 3, origin, (put) => past.write(put));
  }

  /* Seconds since the newest position of the fleet was fixed; null before there is one. */
  dataAge() {
    if (!this.frame?.newestMs) return null;
    return Math.max(0, (this.frame.serverMs - this.frame.newestMs + performance.now() - this.frameAt) / 1000);
  }

  /* The server's clock now, in milliseconds. */
  serverNow() {
    return this.frame ? this.frame.serverMs + performance.now() - this.frameAt : Date.now();
  }
}
