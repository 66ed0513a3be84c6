/* Past positions: tracks read from the API, and where every driver was at one moment of them. */
import { ACCENT, GLYPH, STRONG } from "./fleet_map_glyphs.js";
import { latOf, lonOf, mercatorX, mercatorY } from "./fleet_map_points.js";
import { getJson } from "./fleet_map_store.js";

const GAP_MS = 150000; // a longer silence is not bridged by a straight line
const LIVE_MS = 30000;
const OFFLINE_MS = 300000;
const GONE_MS = 1800000;
const PAGE = 5000;
const MOST_PAGES = 20;
const OVERVIEW = 30; // moments read at once over a region's window, for its chart
const LARGE_OVERVIEW = 12;
const LARGE = 2000;

const iso = (ms) => new Date(ms).toISOString();

/* One driver's fixes between two moments, oldest first: { t, lat, lon, x, y, speed } as columns. */
export async function driverTrack(id, fromMs, toMs, signal) {
  const fixes = [];
  let cursor = "";
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await getJson(
      `/api/v1/drivers/${encodeURIComponent(id)}/track`,
      { from: iso(fromMs), to: iso(toMs), limit: PAGE, cursor }, signal,
    );
    fixes.push(...answer.fixes);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  return columns(fixes
    .filter((fix) => !fix.flagged)
    .map((fix) => [Date.parse(fix.recorded_at), fix.lat, fix.lon, fix.speed]));
}

/* One driver's past. */
export async function driverPast(driver, fromMs, toMs, signal) {
  const track = await driverTrack(driver.id, fromMs, toMs, signal);
  return new Past([{ ...driver, ...track }], fromMs, toMs);
}

function columns(rows) {
  const size = rows.length;
  const out = {
    t: new Float64Array(size), x: new Float64Array(size), y: new Float64Array(size), speed: new Float32Array(size),
  };
  rows.sort((a, b) => a[0] - b[0]);
  rows.forEach(([t, lat, lon, speed], i) => {
    out.t[i] = t;
    out.x[i] = mercatorX(lon);
    out.y[i] = mercatorY(lat);
    out.speed[i] = speed ?? Number.NaN;
  });
  return out;
}

/* A track as a GeoJSON line, split where the driver was silent. */
export function trackLine(track, fromMs = -Infinity) {
  const lines = [];
  let line = [];
  for (let i = 0; i < track.t.length; i += 1) {
    if (track.t[i] < fromMs) continue;
    if (i && track.t[i] - track.t[i - 1] > GAP_MS && line.length) {
      if (line.length > 1) lines.push(line);
      line = [];
    }
    line.push([lonOf(track.x[i]), latOf(track.y[i])]);
  }
  if (line.length > 1) lines.push(line);
  return lines;
}

/* Speed over time in `bins` steps, m/s; null where nothing is known. One or all tracks together. */
export function speedSeries(tracks, fromMs, toMs, bins) {
  const sum = new Float64Array(bins);
  const count = new Uint32Array(bins);
  const width = (toMs - fromMs) / bins;
  for (const track of tracks) {
    for (let i = 0; i < track.t.length; i += 1) {
      const bin = Math.floor((track.t[i] - fromMs) / width);
      if (bin < 0 || bin >= bins || Number.isNaN(track.speed[i])) continue;
      sum[bin] += track.speed[i];
      count[bin] += 1;
    }
  }
  return Array.from(sum, (total, i) => (count[i] ? total / count[i] : null));
}

/* Tracks of a window, shown at one moment. The map draws it in the place of the live drivers. */
export class Past {
  constructor(tracks, fromMs, toMs) {
    this.tracks = tracks.filter((track) => track.t.length);
    this.fromMs = fromMs;
    this.toMs = toMs;
    this.bridgeMs = GAP_MS;
    this.at = fromMs;
    this.chosen = "";
    this.shown = [];
    this.cursors = [];
  }

  get size() {
    return this.tracks.length;
  }

  /* Whatever must be read before `at` can be shown; a driver's track is read whole. */
  async ensure() {}

  get bins() {
    return 180;
  }

  /* Find where everybody was at a moment. */
  seek(at) {
    this.at = at;
    this.shown.length = 0;
    this.tracks.forEach((track, i) => {
      const place = this.placeOf(track, i, at);
      if (place) this.shown.push(place);
    });
  }

  placeOf(track, i, at) {
    const { t, x, y, speed } = track;
    let before = this.cursors[i] ?? 0;
    if (t[before] > at || before >= t.length) before = 0;
    while (before + 1 < t.length && t[before + 1] <= at) before += 1;
    this.cursors[i] = before;
    const age = at - t[before];
    if (age < 0 || age > GONE_MS) return null;
    const next = before + 1;
    const bridged = next < t.length && t[next] - t[before] <= this.bridgeMs;
    const share = bridged ? age / (t[next] - t[before]) : 0;
    const ahead = next < t.length ? next : before;
    const behind = next < t.length ? before : Math.max(0, before - 1);
    const heading = (Math.atan2(x[ahead] - x[behind], -(y[ahead] - y[behind])) * 180) / Math.PI;
    const still = x[ahead] === x[behind] && y[ahead] === y[behind];
    return {
      track,
      x: x[before] + (bridged ? (x[next] - x[before]) * share : 0),
      y: y[before] + (bridged ? (y[next] - y[before]) * share : 0),
      heading: still ? null : heading,
      speed: Number.isNaN(speed[before]) ? null : speed[before],
      status: bridged || age <= LIVE_MS ? 0 : age <= OFFLINE_MS ? 1 : 2,
    };
  }

  write(put) {
    for (const chosenPass of [false, true]) {
      for (const place of this.shown) {
        const chosen = place.track.id === this.chosen;
        if (chosen !== chosenPass) continue;
        const turn = place.heading ?? 0;
        const glyph = place.status === 0
          ? (place.heading === null ? GLYPH.dot : GLYPH.arrow)
          : place.status === 1 ? GLYPH.square : GLYPH.ring;
        const { x, y, status } = place;
        if (chosen) put(x, y, x, y, 0, 0, GLYPH.halo, ACCENT, 2.5);
        put(x, y, x, y, status ? 0 : turn, status ? 0 : turn, glyph, chosen ? STRONG : status, chosen ? 1.35 : 1);
      }
    }
  }

  /* The driver shown near a place of the map: its track, or null. */
  under(at, reach) {
    const [x, y] = [mercatorX(at.lng), mercatorY(at.lat)];
    let best = null;
    let bestDistance = reach * reach;
    for (const place of this.shown) {
      const distance = (place.x - x) ** 2 + (place.y - y) ** 2;
      if (distance < bestDistance) {
        bestDistance = distance;
        best = place.track;
      }
    }
    return best;
  }

  /* How many are shown, by status: live, stale, offline. */
  counts() {
    const counts = [0, 0, 0];
    for (const place of this.shown) counts[place.status] += 1;
    return counts;
  }
}

/* A region's past, read moment by moment as it is looked at: who of it was where. */
class RegionPast extends Past {
  constructor(region, fromMs, toMs, nameOf, signal) {
    super([], fromMs, toMs);
    this.region = region;
    this.nameOf = nameOf;
    this.signal = signal;
    this.byId = new Map();
    this.asked = new Map();
  }

  get bins() {
    return this.overview;
  }

  /* Read moments spread over the window, so that all of it can be looked through at once. */
  async skim() {
    await this.read(this.toMs);
    this.overview = this.byId.size > LARGE ? LARGE_OVERVIEW : OVERVIEW;
    const step = (this.toMs - this.fromMs) / this.overview;
    const moments = Array.from({ length: this.overview }, (_, i) => this.fromMs + (i + 0.5) * step);
    const next = async () => {
      while (moments.length) await this.read(moments.shift());
    };
    await Promise.all([next(), next(), next()]);
    return this;
  }

  /* Read what lies around a moment, as finely as `stepMs`; resolves when that moment is there. */
  async ensure(at, stepMs) {
    const base = Math.floor(at / stepMs) * stepMs;
    const wanted = [base, base + stepMs, base + 2 * stepMs].filter((ms) => ms < this.toMs + stepMs);
    const reads = wanted.map((ms) => this.read(Math.min(ms, this.toMs)));
    await Promise.all(reads.slice(0, 2));
  }

  read(ms) {
    const moment = Math.round(ms / 1000) * 1000;
    if (!this.asked.has(moment)) {
      const reading = getJson("/api/v1/playback", { region: this.region, at: iso(moment) }, this.signal)
        .then((answer) => answer.places.forEach((place) => this.learn(place)))
        .catch((error) => {
          this.asked.delete(moment);
          throw error;
        });
      this.asked.set(moment, reading);
    }
    return this.asked.get(moment);
  }

  learn(place) {
    let track = this.byId.get(place.driver_id);
    if (!track) {
      track = {
        id: place.driver_id, code: place.code, vehicle: place.vehicle, name: this.nameOf(place.driver_id),
        t: [], x: [], y: [], speed: [],
      };
      this.byId.set(place.driver_id, track);
      this.tracks.push(track);
    }
    const at = Date.parse(place.recorded_at);
    let i = track.t.length;
    while (i > 0 && track.t[i - 1] >= at) i -= 1;
    if (track.t[i] === at) return;
    track.t.splice(i, 0, at);
    track.x.splice(i, 0, mercatorX(place.lon));
    track.y.splice(i, 0, mercatorY(place.lat));
    track.speed.splice(i, 0, place.speed ?? Number.NaN);
  }
}

/* Every driver of a region between two moments. `nameOf` tells a driver's name by id. */
export const regionPast = (region, fromMs, toMs, nameOf, signal) =>
  new RegionPast(region, fromMs, toMs, nameOf, signal).skim();
