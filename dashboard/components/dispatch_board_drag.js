/* Carrying orders to a driver with mouse or finger: what is carried, where it is, over whom. */
import { useSyncExternalStore } from "react";

const STARTS_AFTER_PX = 5;
const PRESS_MS = 350; // a finger takes an order up by resting on it; sooner it scrolls
const SLIP_PX = 8;
const AWAY_PX = 24;
const TAP_MS = 300;
const listeners = new Set();
let state = { load: null, x: 0, y: 0, target: "", finger: false };
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

/* Keeps what a finger is carried out of from scrolling; it has to listen before the finger comes. */
export function holdStill(element) {
  const hold = (event) => carrying() && event.cancelable && event.preventDefault();
  element.addEventListener("touchmove", hold, { passive: false });
  return () => element.removeEventListener("touchmove", hold);
}

/*
 * Begins to watch a press on a row; it becomes a drag once the mouse moves, or the finger has rested.
 * `onTake(finger)` is told when it does.
 */
export function carry(event, load, onDrop, onTake) {
  if (event.button !== 0 || carrying()) return;
  const from = [event.clientX, event.clientY];
  const finger = event.pointerType === "touch";
  let begun = false;
  const take = (x, y, far) => {
    if (!begun) onTake?.(finger);
    begun = true;
    // On a phone the drivers appear under the finger itself: none is meant before it has moved.
    set({ load, x, y, finger, target: finger && far < AWAY_PX ? "" : targetAt(x, y) });
  };
  const rested = finger && setTimeout(() => {
    take(...from, 0);
    window.addEventListener("touchend", keepOff, { passive: false, once: true });
  }, PRESS_MS);
  const ours = (act) => (moved) => moved.pointerId === event.pointerId && act(moved);
  const move = ours((moved) => {
    const far = Math.hypot(moved.clientX - from[0], moved.clientY - from[1]);
    if (finger && !begun) {
      if (far > SLIP_PX) stop();
      return;
    }
    if (!begun && far < STARTS_AFTER_PX) return;
    moved.preventDefault();
    take(moved.clientX, moved.clientY, far);
  });
  const end = ours((ended) => {
    const { target } = state;
    stop();
    if (!begun) return;
    if (!finger) swallowClick();
    if (ended.type === "pointerup" && target) onDrop(target);
  });
  const key = (pressed) => {
    if (pressed.key !== "Escape" || !begun) return;
    pressed.preventDefault();
    pressed.stopImmediatePropagation();
    stop();
  };
  const watched = [["pointermove", move], ["pointerup", end], ["pointercancel", end], ...(finger ? [["contextmenu", keepOff]] : [])];
  const stop = () => {
    clearTimeout(rested);
    // The finger's end is told after the pointer's, and would be a tap on the row.
    if (finger && begun) setTimeout(() => window.removeEventListener("touchend", keepOff), TAP_MS);
    for (const [name, act] of watched) window.removeEventListener(name, act);
    window.removeEventListener("keydown", key, true);
    set({ load: null, target: "" });
  };
  for (const [name, act] of watched) window.addEventListener(name, act);
  window.addEventListener("keydown", key, true);
}

const keepOff = (event) => event.cancelable && event.preventDefault();

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
