/* Carrying orders to a driver with the mouse: what is carried, where it is, over whom. */
import { useSyncExternalStore } from "react";

const STARTS_AFTER_PX = 5;
const listeners = new Set();
let state = { load: null, x: 0, y: 0, target: "" };
let driverOnMap = () => "";

function set(next) {
  state = { ...state, ...next };
  for (const listen of listeners) listen();
}

function subscribe(listen) {
  listeners.add(listen);
  return () => listeners.delete(listen);
}

/* The part of the carrying that `pick` takes; renders again when that part changes. */
export function useDrag(pick) {
  return useSyncExternalStore(subscribe, () => pick(state), () => pick(state));
}

/* Whether something is being carried now. */
export const carrying = () => state.load !== null;

/* Lets the map say which driver lies under a point of the window. */
export function dropOnMap(find) {
  driverOnMap = find;
}

/* Begins to watch a press on a row; it becomes a drag once the pointer moves. */
export function carry(event, load, onDrop) {
  if (event.button !== 0 || event.pointerType === "touch") return;
  const from = [event.clientX, event.clientY];
  let begun = false;
  const move = (moved) => {
    const far = Math.hypot(moved.clientX - from[0], moved.clientY - from[1]);
    if (!begun && far < STARTS_AFTER_PX) return;
    begun = true;
    moved.preventDefault();
    set({ load, x: moved.clientX, y: moved.clientY, target: targetAt(moved.clientX, moved.clientY) });
  };
  const end = (ended) => {
    const { target } = state;
    stop();
    if (!begun) return;
    swallowClick();
    if (ended.type === "pointerup" && target) onDrop(target);
  };
  const key = (pressed) => {
    if (pressed.key !== "Escape" || !begun) return;
    pressed.preventDefault();
    pressed.stopImmediatePropagation();
    stop();
  };
  const stop = () => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", end);
    window.removeEventListener("pointercancel", end);
    window.removeEventListener("keydown", key, true);
    set({ load: null, target: "" });
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", end);
  window.addEventListener("pointercancel", end);
  window.addEventListener("keydown", key, true);
}

function targetAt(x, y) {
  const under = document.elementFromPoint(x, y);
  const row = under?.closest("[data-driver]");
  if (row) return row.dataset.driver;
  return under?.closest(".wpb-map") ? driverOnMap(x, y) : "";
}

/* The click that ends a drag is not meant for the row under it. */
function swallowClick() {
  const swallow = (event) => event.stopPropagation();
  window.addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => window.removeEventListener("click", swallow, true), 0);
}
