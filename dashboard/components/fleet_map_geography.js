/* Outlines of regions, hubs and geofences for a map: read once, and where they lie. */
import { useEffect } from "react";
import { getJson } from "./fleet_map_store.js";

const TRIES = 5;
const AGAIN_MS = 3000;

/* Outlines, hubs and geofences of what the person may see, read once. */
export function useGeography(engine, setGeography) {
  useEffect(() => {
    if (!engine) return undefined;
    const control = new AbortController();
    let again;
    // Without outlines there is still a map; they are asked for again, since a moment may have been bad.
    const outline = (tries) => getJson("/api/v1/regions", { geometry: true }, control.signal).then((regions) => {
      engine.fill("regions", regions);
      setGeography(regions);
    }, () => {
      if (control.signal.aborted) return;
      setGeography((before) => before ?? { features: [] });
      if (tries > 1) again = setTimeout(outline, AGAIN_MS, tries - 1);
    });
    outline(TRIES);
    // Geofences need a permission of their own; without it the layer stays empty.
    getJson("/api/v1/geofences", { geometry: true }, control.signal)
      .then((fences) => engine.fill("fences", fences), () => {});
    return () => {
      clearTimeout(again);
      control.abort();
    };
  }, [engine]);
}

export const cityOf = (region) => region.split(".")[0];

/* Hubs of the chosen city or country, by name. */
export function hubsOf(geography, region) {
  return (geography?.features ?? [])
    .filter(({ properties }) => properties.kind === "hub" && within(properties.code, region))
    .map(({ properties }) => ({ code: properties.code, name: properties.name }))
    .sort((a, b) => a.name.localeCompare(b.name))
    .slice(0, 200);
}

export const within = (code, region) => region === "*" || code === region || code.startsWith(`${region}-`) || code.startsWith(`${region}.`);

/* West-south and east-north of a region's outlines; of everything visible when it has none. */
export function boundsOf(geography, region) {
  const box = [180, 90, -180, -90];
  const extend = (coordinates) => {
    if (typeof coordinates[0] === "number") {
      box[0] = Math.min(box[0], coordinates[0]);
      box[1] = Math.min(box[1], coordinates[1]);
      box[2] = Math.max(box[2], coordinates[0]);
      box[3] = Math.max(box[3], coordinates[1]);
    } else coordinates.forEach(extend);
  };
  const hub = region.includes(".");
  for (const { properties, geometry } of geography.features) {
    const inside = hub ? properties.code === region : within(properties.code, region);
    if (inside && geometry) extend(geometry.coordinates);
  }
  if (box[0] > box[2]) return [[68, -8], [125, 32]];
  const pad = hub ? 0.02 : 0;
  return [[box[0] - pad, box[1] - pad], [box[2] + pad, box[3] + pad]];
}

export const widened = ([[west, south], [east, north]]) => [west - 1, Math.max(-85, south - 1), east + 1, Math.min(85, north + 1)];
