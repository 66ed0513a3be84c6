/* What the board remembers while it is open: its address, the order at hand, the driver picked. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { writeAddress } from "./fleet_map_address.js";

const PLAIN = { tab: "open", sort: "late", late: false, service: "", hub: "", q: "", drivers: "room" };

function readLook() {
  const query = new URLSearchParams(window.location.search);
  const look = { ...PLAIN };
  for (const name of Object.keys(PLAIN)) {
    if (query.has(name)) look[name] = name === "late" ? query.get(name) === "1" : query.get(name);
  }
  return look;
}

/* Tab, order and filters of the list, in the address; each change is told to the server. */
export function useLook(tell) {
  const [look, set] = useState(readLook);
  const change = (changes) => {
    const next = { ...look, ...changes };
    set(next);
    writeAddress(Object.fromEntries(Object.entries(next).map(([name, value]) => [name, value === PLAIN[name] ? "" : value])));
    if (Object.keys(changes).some((name) => name !== "drivers")) tell({ ...next, late: next.late ? "1" : "" });
  };
  return [look, change];
}

/* Asks for the rows again whenever something changed, one question at a time, never while carrying. */
export function useRefresh({ changes, loaded, onRefresh }, carried) {
  const asked = useRef({ changes: null, loaded: -1 });
  useEffect(() => {
    const last = asked.current;
    if (last.changes === null) last.changes = changes;
    if (changes === last.changes || carried || loaded === last.loaded) return;
    last.changes = changes;
    last.loaded = loaded;
    onRefresh();
  }, [changes, loaded, carried]);
}

/* The order under the keyboard, the one at hand, the marked ones; all by id, so that rows may come and go. */
export function useChoice(shown, detail, onChoose) {
  const [active, setActive] = useState("");
  const [chosen, setChosen] = useState("");
  const [marked, setMarked] = useState(() => new Set());
  const [anchor, setAnchor] = useState("");
  const [whyOpen, setWhyOpen] = useState(true);
  const choose = useCallback((id) => {
    setChosen(id);
    if (id) setActive(id);
    onChoose(id);
  }, [onChoose]);

  // The order named by the address is what the server has loaded first.
  useEffect(() => {
    if (!chosen && detail.id && new URLSearchParams(window.location.search).get("order") === detail.number) {
      setChosen(detail.id);
      setActive(detail.id);
    }
  }, [detail.id]);
  const chosenOrder = useMemo(
    () => (chosen && (shown.find((order) => order.id === chosen && !order.left) ?? (detail.id === chosen ? detail.order : null))) || null,
    [chosen, shown, detail],
  );
  useEffect(() => {
    if (chosenOrder) writeAddress({ order: chosenOrder.number });
    else if (!chosen && !new URLSearchParams(window.location.search).has("order")) return;
    else if (!chosen && active) writeAddress({ order: "" });
  }, [chosen, chosenOrder?.number]);
  useEffect(() => {
    const listed = new Set(shown.filter((order) => !order.left).map((order) => order.id));
    setMarked((before) => ([...before].every((id) => listed.has(id)) ? before : new Set([...before].filter((id) => listed.has(id)))));
  }, [shown]);

  const at = shown.findIndex((order) => order.id === active);
  const toggled = (id) => setMarked((before) => {
    const next = new Set(before);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  return {
    active, chosen, chosenOrder, marked, whyOpen, setWhyOpen, choose,
    letGo: () => choose(""),
    step: (by, marking = false) => {
      const next = shown[at < 0 ? 0 : Math.max(0, Math.min(shown.length - 1, at + by))];
      if (!next) return;
      setActive(next.id);
      if (marking) setMarked((before) => new Set([...before, ...(active ? [active] : []), next.id]));
    },
    mark: (id) => {
      setActive(id);
      setAnchor(id);
      toggled(id);
    },
    markTo: (id) => {
      const from = shown.findIndex((order) => order.id === (anchor || active));
      const to = shown.findIndex((order) => order.id === id);
      const [low, high] = from < 0 ? [to, to] : [Math.min(from, to), Math.max(from, to)];
      setMarked((before) => new Set([...before, ...shown.slice(low, high + 1).filter((order) => !order.left).map((order) => order.id)]));
      setActive(id);
    },
    markOnly: (ids) => setMarked(new Set(ids)),
    unmark: () => setMarked(new Set()),
  };
}

const SORTS = {
  room: (a, b) => (b.room - b.load) - (a.room - a.load) || a.load - b.load || (a.code < b.code ? -1 : 1),
  code: (a, b) => (a.code < b.code ? -1 : 1),
};

/* The drivers to show, best first for the order at hand, and the one that would get it. */
export function useDrivers({ drivers, chosenDetail }, choice, look) {
  const [picked, setPicked] = useState(() => new URLSearchParams(window.location.search).get("driver") ?? "");
  const { chosen } = choice;
  const candidates = chosen && chosenDetail.id === chosen ? chosenDetail.drivers : null;
  const ranked = useMemo(
    () => candidates ?? (chosen ? [] : [...drivers].filter((driver) => !driver.unfit && driver.load < driver.room).sort(SORTS[look.drivers] ?? SORTS.room)),
    [candidates, drivers, chosen, look.drivers],
  );
  useEffect(() => {
    // Another order: the best driver for it is offered, unless somebody picks another.
    if (chosen) setPicked("");
  }, [chosen]);
  choice.picked = picked || (candidates?.find((driver) => !driver.unfit)?.id ?? "");
  choice.pick = (id) => {
    setPicked(id);
    writeAddress({ driver: id });
  };
  const target = useMemo(
    () => [...(candidates ?? []), ...drivers].find((driver) => driver.id === choice.picked) ?? null,
    [candidates, drivers, choice.picked],
  );
  return { ranked, target };
}
