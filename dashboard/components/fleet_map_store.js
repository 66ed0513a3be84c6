/* What the map's parts share: the one engine of the page, the chosen driver, the feed's state. */
import { useSyncExternalStore } from "react";

const listeners = new Set();
let state = {
  engine: null,
  driver: "", // id of the chosen driver
  following: false,
  link: "connecting",
  linkDetail: "",
  counts: [0, 0, 0, 0],
  inView: 0,
  mode: "points",
  tick: 0, // rises with every frame
  past: null, // { at, from, to, speed, playing, scope, ... } while in playback
  trailSpan: "10min",
};

export const mapState = () => state;

export function changeMap(changes) {
  state = { ...state, ...changes };
  for (const listen of listeners) listen();
}

function subscribe(listen) {
  listeners.add(listen);
  return () => listeners.delete(listen);
}

/* The part of the shared state that `pick` takes; renders again when that part changes. */
export function useMap(pick) {
  return useSyncExternalStore(subscribe, () => pick(state), () => pick(state));
}

/* Reads JSON of our API with the session cookie; throws an Error that a person can read. */
export async function getJson(path, query = {}, signal = undefined) {
  const url = new URL(path, window.location.origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  }
  const answer = await fetch(url, { headers: { accept: "application/json" }, signal });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Error(problem.detail || problem.title || `The server answered ${answer.status}.`);
  }
  return answer.json();
}

export const kmh = (metresPerSecond) => `${Math.round(metresPerSecond * 3.6)} km/h`;

/* Seconds as "3 s", "4 min", "2 h". */
export function span(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

/* A moment as clock time in a zone. */
export function clock(ms, zone, withSeconds = false) {
  return new Date(ms).toLocaleTimeString("en-GB", {
    hour: "2-digit", minute: "2-digit", ...(withSeconds && { second: "2-digit" }), timeZone: zone || undefined,
  });
}
