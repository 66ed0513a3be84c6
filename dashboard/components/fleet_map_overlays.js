/* What lies between the base map and the drivers: regions, hubs, geofences, cells, trails. */
import { EMPTY } from "./fleet_map_base.js";
import { alpha, mix } from "./fleet_map_theme.js";

const OURS = "Inter Variable";
export const LAYER_GROUPS = {
  regions: ["region-fill", "region-line"],
  hubs: ["hub-mark", "hub-name"],
  geofences: ["fence-fill", "fence-line", "fence-name"],
};

/* Adds every overlay to a freshly loaded style, filled from `content` (GeoJSON by source name). */
export function addOverlays(map, theme, content, bundled, shown) {
  const font = bundled ? [OURS] : fontOf(map.getStyle());
  for (const name of ["regions", "fences", "cells", "cell-marks"]) {
    map.addSource(name, { type: "geojson", data: content[name] ?? EMPTY });
  }
  for (const name of ["trail", "past"]) {
    map.addSource(name, { type: "geojson", data: content[name] ?? EMPTY, lineMetrics: true, tolerance: 0 });
  }
  addHubImage(map, theme);
  for (const layer of layers(theme, font)) map.addLayer(layer);
  showGroups(map, shown);
}

/* Shows or hides the switchable groups of layers. */
export function showGroups(map, shown) {
  for (const [group, ids] of Object.entries(LAYER_GROUPS)) {
    for (const id of ids) {
      if (map.getLayer(id)) {
        map.setLayoutProperty(id, "visibility", shown[group] === false ? "none" : "visible");
      }
    }
  }
}

/* Brings out one region's outline; the others stay faint. */
export function stressRegion(map, code) {
  if (!map.getLayer("region-line")) return;
  const chosen = ["==", ["get", "code"], code];
  map.setPaintProperty("region-line", "line-opacity", ["case", chosen, 0.9, 0.35]);
  map.setPaintProperty("region-fill", "fill-opacity", ["case", chosen, 1, 0.35]);
}

function layers(theme, font) {
  const kind = (name) => ["==", ["get", "kind"], name];
  const critical = theme.critical;
  return [
    {
      id: "region-fill", type: "fill", source: "regions", filter: kind("city"),
      paint: { "fill-color": alpha(theme.accent, theme.dark ? 0.045 : 0.05), "fill-opacity": 0.35 },
    },
    {
      id: "region-line", type: "line", source: "regions", filter: kind("city"),
      layout: { "line-join": "round" },
      paint: {
        "line-color": mix(theme.border, theme.accent, theme.dark ? 0.45 : 0.6),
        "line-width": ["interpolate", ["linear"], ["zoom"], 6, 0.8, 12, 1.4],
        "line-opacity": 0.35, "line-dasharray": [4, 2],
      },
    },
    {
      id: "fence-fill", type: "fill", source: "fences", minzoom: 9, filter: ["!=", ["get", "kind"], "hub"],
      paint: {
        "fill-color": ["match", ["get", "kind"], "no_go", alpha(critical, 0.14), alpha(theme.info, 0.07)],
      },
    },
    {
      id: "fence-line", type: "line", source: "fences", minzoom: 9,
      paint: {
        "line-color": ["match", ["get", "kind"], "no_go", alpha(critical, 0.75), "hub", alpha(theme.muted, 0.6), alpha(theme.info, 0.5)],
        "line-width": 1,
        "line-dasharray": [3, 2],
      },
    },
    {
      id: "fence-name", type: "symbol", source: "fences", minzoom: 11.5, filter: ["!=", ["get", "kind"], "hub"],
      layout: {
        "text-font": font, "text-size": 11, "text-max-width": 10,
        "text-field": ["match", ["get", "kind"], "no_go", ["concat", "No go: ", ["get", "name"]], ["get", "name"]],
      },
      paint: { "text-color": theme.muted, "text-halo-color": theme.land, "text-halo-width": 1.2 },
    },
    {
      id: "cell-fill", type: "fill", source: "cells",
      paint: { "fill-color": ["get", "color"], "fill-opacity": ["get", "depth"], "fill-antialias": false },
    },
    {
      id: "cell-line", type: "line", source: "cells",
      paint: { "line-color": ["get", "color"], "line-opacity": 0.55, "line-width": 1 },
    },
    {
      id: "cell-count", type: "symbol", source: "cell-marks",
      layout: {
        "text-font": font, "text-field": ["get", "words"], "text-size": ["interpolate", ["linear"], ["get", "total"], 1, 11, 500, 15],
        "symbol-sort-key": ["-", 0, ["get", "total"]], "text-padding": 1,
      },
      paint: { "text-color": theme.text, "text-halo-color": alpha(theme.land, 0.85), "text-halo-width": 1.4 },
    },
    {
      id: "trail-under", type: "line", source: "trail", layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": alpha(theme.land, 0.8), "line-width": 6 },
    },
    {
      id: "trail-line", type: "line", source: "trail", layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-width": 2.6,
        "line-gradient": [
          "interpolate", ["linear"], ["line-progress"],
          0, alpha(theme.accent, 0.12), 0.5, alpha(theme.accent, 0.7), 1, theme.accent,
        ],
      },
    },
    {
      id: "past-line", type: "line", source: "past", layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": theme.accent, "line-width": 2.2, "line-opacity": 0.75 },
    },
    {
      id: "hub-mark", type: "symbol", source: "regions", minzoom: 8.5, filter: kind("hub"),
      layout: {
        "icon-image": "wp-hub", "icon-allow-overlap": true, "icon-ignore-placement": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 8.5, 0.6, 13, 1],
      },
    },
    {
      id: "hub-name", type: "symbol", source: "regions", minzoom: 10.2, filter: kind("hub"),
      layout: {
        "text-font": font, "text-field": ["get", "name"], "text-size": 12, "text-max-width": 10,
        "text-offset": [0, 0.9], "text-anchor": "top", "text-padding": 4,
      },
      paint: { "text-color": theme.muted, "text-halo-color": theme.land, "text-halo-width": 1.4 },
    },
  ];
}

/* The font that a foreign style surely serves glyphs for. */
export function fontOf(style) {
  for (const layer of style.layers) {
    const font = layer.layout?.["text-font"];
    if (Array.isArray(font) && typeof font[0] === "string" && font[0] !== "literal") return font;
  }
  return ["Noto Sans Regular"];
}

/* A small house on a plate: what hubs look like. */
function addHubImage(map, theme) {
  const ratio = 2;
  const size = 18 * ratio;
  const canvas = document.createElement("canvas");
  canvas.width = size;
  canvas.height = size;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.scale(ratio, ratio);
  pen.fillStyle = theme.raised;
  pen.strokeStyle = theme.muted;
  pen.lineWidth = 1.2;
  pen.lineJoin = "round";
  pen.beginPath();
  pen.roundRect(1, 1, 16, 16, 4);
  pen.fill();
  pen.stroke();
  pen.strokeStyle = theme.text;
  pen.beginPath();
  pen.moveTo(4.6, 8.6);
  pen.lineTo(9, 5);
  pen.lineTo(13.4, 8.6);
  pen.moveTo(5.8, 8);
  pen.lineTo(5.8, 13);
  pen.lineTo(12.2, 13);
  pen.lineTo(12.2, 8);
  pen.stroke();
  if (map.hasImage("wp-hub")) map.removeImage("wp-hub");
  map.addImage("wp-hub", pen.getImageData(0, 0, size, size), { pixelRatio: ratio });
}

/* GeoJSON of a cells frame: hexagons coloured by how well their drivers are, and their counts. */
export function cellFeatures(frame, theme, boundaryOf, shownStatuses) {
  const hexagons = [];
  const marks = [];
  let most = 1;
  const totals = new Uint32Array(frame.n);
  for (let i = 0; i < frame.n; i += 1) {
    for (const status of shownStatuses) totals[i] += frame.byStatus[status][i];
    most = Math.max(most, totals[i]);
  }
  for (let i = 0; i < frame.n; i += 1) {
    const total = totals[i];
    if (!total) continue;
    const index = frame.index[i].toString(16);
    const ring = boundaryOf(index);
    hexagons.push({
      type: "Feature",
      properties: {
        color: healthColor(theme, frame, i, total),
        depth: 0.16 + 0.4 * Math.sqrt(total / most),
      },
      geometry: { type: "Polygon", coordinates: [[...ring, ring[0]]] },
    });
    marks.push({
      type: "Feature",
      properties: { total, words: total.toLocaleString("en-GB") },
      geometry: { type: "Point", coordinates: middle(ring) },
    });
  }
  return {
    cells: { type: "FeatureCollection", features: hexagons },
    marks: { type: "FeatureCollection", features: marks },
  };
}

function healthColor(theme, frame, i, total) {
  const live = frame.byStatus[0][i];
  const stale = frame.byStatus[1][i];
  if (live === 0 && stale === 0) return theme.off;
  return (total - live) / total > 0.3 ? theme.warning : theme.good;
}

function middle(ring) {
  const sum = ring.reduce(([x, y], [lon, lat]) => [x + lon, y + lat], [0, 0]);
  return [sum[0] / ring.length, sum[1] / ring.length];
}
