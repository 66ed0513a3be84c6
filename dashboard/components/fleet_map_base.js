/* The base map: the configured style when it answers, else coast lines, borders and names of ours. */
import countriesUrl from "world-atlas/countries-50m.json?url";
import { feature, mesh } from "topojson-client";
import { alpha, mix } from "./fleet_map_theme.js";

const PATIENCE_MS = 2000;
const DETAIL_FROM_ZOOM = 7.4;
const FONT = "Inter Variable";
const CREDIT = "© OpenStreetMap contributors, Natural Earth";

let atlas = null;
const styles = new Map();

/* The style to show: { style, bundled }. Never fails; a style that is slow or away is not waited for. */
export async function baseStyle(address, theme, bbox) {
  if (address) {
    const remote = await remoteStyle(address);
    if (remote) return { style: remote, bundled: false };
  }
  return { style: await bundledStyle(theme, bbox), bundled: true };
}

async function remoteStyle(address) {
  const known = styles.get(address);
  if (known) return known.style;
  try {
    const answer = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const style = answer.ok ? await answer.json() : null;
    styles.set(address, { style });
    return style;
  } catch {
    // Not reachable from here: remembered, so that a change of theme does not wait again.
    styles.set(address, { style: null });
    return null;
  }
}

/* Land, borders and coast of the whole world, read once. */
async function world() {
  atlas ??= fetch(countriesUrl)
    .then((answer) => answer.json())
    .then((topology) => ({
      land: feature(topology, topology.objects.land),
      borders: mesh(topology, topology.objects.countries, (a, b) => a !== b),
      coast: mesh(topology, topology.objects.countries, (a, b) => a === b),
    }));
  return atlas;
}

const source = (data, extra = {}) => ({ type: "geojson", data, tolerance: 0.3, ...extra });

async function bundledStyle(theme) {
  const { land, borders, coast } = await world();
  const hills = mix(theme.land, theme.text, theme.dark ? 0.012 : 0);
  const shore = mix(theme.water, theme.text, theme.dark ? 0.16 : 0.2);
  const faint = mix(theme.land, theme.border, 0.55);
  return {
    version: 8,
    name: "Waypost",
    sources: {
      land: source(land, { maxzoom: 8 }),
      coast: source(coast, { maxzoom: 8 }),
      borders: source(borders, { maxzoom: 8 }),
      water: source(EMPTY, { maxzoom: 12, attribution: CREDIT }),
      graticule: source(graticule(), { maxzoom: 6 }),
      rivers: source("/basemap/rivers.json", { tolerance: 0.1 }),
      places: source("/basemap/places.json"),
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": theme.water } },
      { id: "land", type: "fill", source: "land", paint: { "fill-color": hills, "fill-antialias": false } },
      {
        id: "coast", type: "line", source: "coast", maxzoom: DETAIL_FROM_ZOOM + 0.6,
        paint: { "line-color": shore, "line-width": ["interpolate", ["linear"], ["zoom"], 2, 0.4, 7, 1] },
      },
      {
        id: "detail-land", type: "fill", source: "water", minzoom: DETAIL_FROM_ZOOM,
        filter: ["==", ["get", "kind"], "land"], paint: { "fill-color": hills, "fill-antialias": false },
      },
      {
        id: "detail-water", type: "fill", source: "water", minzoom: DETAIL_FROM_ZOOM,
        filter: ["==", ["get", "kind"], "water"],
        paint: { "fill-color": theme.water, "fill-outline-color": mix(theme.water, theme.text, 0.07) },
      },
      {
        id: "rivers", type: "line", source: "rivers", minzoom: 6,
        layout: { "line-cap": "round", "line-join": "round" },
        paint: {
          "line-color": theme.water,
          // As wide as the river: a kilometre is 2^zoom / 78 pixels at the equator.
          "line-width": [
            "interpolate", ["exponential", 2], ["zoom"],
            6, 0.6, 10, ["*", ["get", "width_km"], 14], 18, ["*", ["get", "width_km"], 14 * 256],
          ],
        },
      },
      {
        id: "graticule", type: "line", source: "graticule", maxzoom: 8,
        paint: { "line-color": alpha(theme.text, theme.dark ? 0.035 : 0.06), "line-width": 1 },
      },
      {
        id: "borders", type: "line", source: "borders",
        paint: {
          "line-color": mix(theme.land, theme.border, 0.9),
          "line-width": ["interpolate", ["linear"], ["zoom"], 2, 0.5, 8, 1.2],
          "line-dasharray": [3, 2],
        },
      },
      places("country", 2.2, 6, theme, {
        "text-size": ["interpolate", ["linear"], ["zoom"], 2, 10, 6, 14],
        "text-transform": "uppercase", "text-letter-spacing": 0.16,
      }, faint),
      places("sea", 3, 7, theme, { "text-size": 11, "text-letter-spacing": 0.1 }, shore),
      places("city", 3.4, 10.5, theme, {
        "text-size": ["interpolate", ["linear"], ["zoom"], 3, 11, 9, 14],
      }, theme.label),
      places("district", 9.8, 22, theme, {
        "text-size": ["interpolate", ["linear"], ["zoom"], 10, 11, 15, 15],
      }, theme.label),
    ],
  };
}

function places(kind, minzoom, maxzoom, theme, layout, color) {
  return {
    id: `places-${kind}`, type: "symbol", source: "places", minzoom, maxzoom,
    filter: ["all", ["==", ["get", "kind"], kind], [">=", ["+", ["zoom"], 1], ["get", "from"]]],
    layout: {
      "text-field": ["get", "name"], "text-font": [FONT], "text-padding": 6,
      "symbol-sort-key": ["get", "from"], "text-max-width": 9, ...layout,
    },
    paint: {
      "text-color": color,
      "text-halo-color": kind === "sea" ? theme.water : theme.land, "text-halo-width": 1.2,
    },
  };
}

/* Loads the fine coast of the cities near the view into the bundled style; call after each move. */
export class Waters {
  constructor(index) {
    this.index = index;
    this.loaded = new Map();
  }

  async show(map, bounds) {
    if (map.getZoom() < DETAIL_FROM_ZOOM - 0.5 || !map.getSource("water")) return;
    const wanted = Object.entries(this.index).filter(([, box]) => overlaps(box, bounds));
    const missing = wanted.filter(([code]) => !this.loaded.has(code));
    if (!missing.length && map.getSource("water").waypostShown === this.loaded.size) return;
    await Promise.all(missing.map(async ([code]) => {
      const answer = await fetch(`/basemap/water/${code}.json`);
      if (answer.ok) this.loaded.set(code, (await answer.json()).features);
    }));
    const water = map.getSource("water");
    if (!water) return;
    water.waypostShown = this.loaded.size;
    water.setData({ type: "FeatureCollection", features: [...this.loaded.values()].flat() });
  }
}

/* Where a fine coast is bundled: west, south, east, north. */
export const WATERS = {
  "IN-MH": [71.28, 17.75, 74.48, 20.35], "LK-1": [78.28, 5.62, 81.48, 8.22],
  "TH-10": [98.92, 12.45, 102.12, 15.05], "VN-SG": [105.08, 9.49, 108.28, 12.09],
  "ID-JK": [105.23, -7.5, 108.43, -4.9], "MY-14": [100.09, 1.84, 103.29, 4.44],
  "PH-00": [119.42, 13.28, 122.62, 15.88], "SG-01": [102.23, 0.05, 105.43, 2.65],
};

function overlaps([west, south, east, north], bounds) {
  return bounds.getWest() < east && bounds.getEast() > west
    && bounds.getSouth() < north && bounds.getNorth() > south;
}

function graticule() {
  const lines = [];
  for (let lon = -180; lon <= 180; lon += 5) lines.push([[lon, -80], [lon, 80]]);
  for (let lat = -80; lat <= 80; lat += 5) lines.push([[-180, lat], [180, lat]]);
  return { type: "Feature", properties: {}, geometry: { type: "MultiLineString", coordinates: lines } };
}

export const EMPTY = { type: "FeatureCollection", features: [] };
