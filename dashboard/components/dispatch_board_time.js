/* Time on the board: one clock for every row, and how late an order or a stop is. */
import { useSyncExternalStore } from "react";

const listeners = new Set();
let timer = null;

function subscribe(listen) {
  listeners.add(listen);
  timer ??= setInterval(() => listeners.forEach((each) => each()), 1000);
  return () => {
    listeners.delete(listen);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = null;
    }
  };
}

/* Now in milliseconds, renewed every `stepMs`. */
export function useNow(stepMs = 1000) {
  const read = () => Math.floor(Date.now() / stepMs) * stepMs;
  return useSyncExternalStore(subscribe, read, read);
}

const zones = new Map();

/* A moment as clock time of a zone, "14:50". */
export function clockOf(ms, zone) {
  if (!ms) return "";
  if (!zones.has(zone)) {
    zones.set(zone, new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone || undefined }));
  }
  return zones.get(zone).format(ms);
}

/* Seconds or more, in the largest fitting unit: "18 s", "9 min", "2 h 05". */
export function spanOf(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(hours / 24)} d`;
}

/* How an order stands against its promise: tone and word. */
export function lateness(order, now) {
  if (order.state === "on_hold") return { tone: "off", word: "on hold" };
  if (now > order.due) return { tone: "critical", word: `${spanOf(now - order.due)} late` };
  if (now > order.risk) return { tone: "warning", word: "at risk" };
  return { tone: "good", word: "on time" };
}

const TIGHT_MS = 5 * 60_000;

/* How a planned stop stands against what it is due: late, tight (under five minutes left) or fine. */
export function stopTone(stop) {
  if (stop.late > 0) return "critical";
  if (stop.due && stop.due - stop.arrive < TIGHT_MS) return "warning";
  return stop.kind === "pickup" ? "info" : "good";
}
