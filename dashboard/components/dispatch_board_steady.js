/* Rows that do not jump under the cursor: new ones wait while somebody is in the list. */
import { useEffect, useMemo, useReducer } from "react";

const LEAVE_MS = 6000;

const EMPTY = { rows: new Map(), order: [], waiting: [], left: {} };

/* Takes what the server lists now; `whole` replaces everything, `held` keeps every place. */
function take(model, { rows, gone, whole, held, now }) {
  const listed = new Map(rows.map((row) => [row.id, row]));
  const ids = rows.map((row) => row.id);
  if (whole) return { rows: listed, order: ids, waiting: [], left: {} };
  const words = Object.fromEntries(gone.map((each) => [each.id, each.words]));
  const left = {};
  for (const id of model.order) {
    if (listed.has(id)) continue;
    left[id] = { at: model.left[id]?.at ?? now, words: words[id] ?? model.left[id]?.words ?? "no longer in this list" };
    listed.set(id, model.rows.get(id));
  }
  const known = new Set(model.order);
  if (held) return { rows: listed, order: model.order, waiting: ids.filter((id) => !known.has(id)), left };
  return tidied({ rows: listed, order: model.order, waiting: [], left }, ids, now);
}

/* Brings in what waited, in the server's order; rows that have just left stay where they were. */
function tidied(model, ids, now) {
  const order = [...ids];
  const left = {};
  let before = null;
  for (const id of model.order) {
    const leaving = model.left[id];
    if (leaving && now - leaving.at < LEAVE_MS) {
      order.splice(before === null ? 0 : order.indexOf(before) + 1, 0, id);
      left[id] = leaving;
    }
    if (order.includes(id)) before = id;
  }
  const kept = new Set(order);
  return { rows: new Map([...model.rows].filter(([id]) => kept.has(id))), order, waiting: [], left };
}

function change(model, action) {
  if (action.type === "take") return take(model, action);
  const listed = action.rows.map((row) => row.id);
  if (action.type === "show") return tidied({ ...model, left: {} }, listed, action.now);
  const over = Object.values(model.left).some((each) => action.now - each.at >= LEAVE_MS);
  return over || model.waiting.length ? tidied(model, listed, action.now) : model;
}

/*
 * The rows to draw, how many new ones wait, and `show()` to bring them in. A row that has left the
 * list says in `left` what became of it. `view` names what is listed: another view replaces all.
 */
export function useSteady(rows, gone, view, held) {
  const [model, act] = useReducer(change, EMPTY);
  const [seenView, setView] = useReducer((_, next) => next, null);
  useEffect(() => {
    act({ type: "take", rows, gone, whole: view !== seenView, held, now: Date.now() });
    setView(view);
  }, [rows, view]);
  useEffect(() => {
    if (held) return undefined;
    const tidy = () => act({ type: "tidy", rows, now: Date.now() });
    tidy();
    const timer = setInterval(tidy, 1000);
    return () => clearInterval(timer);
  }, [held, rows]);
  const shown = useMemo(
    () => model.order.map((id) => (model.left[id] ? { ...model.rows.get(id), left: model.left[id].words } : model.rows.get(id))),
    [model],
  );
  return { shown, fresh: model.waiting.length, show: () => act({ type: "show", rows, now: Date.now() }) };
}
