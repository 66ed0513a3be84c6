/* What the board remembers while it is open: its address, the order at hand, the driver picked. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { writeAddress } from "../fleet_map/fleet_map_address.js";

const PLAIN = { tab: "open", sort: "late", late: false, service: "", hub: "", q: "", drivers: "room" };

/* What an address asks the board to show. */
export function readLook(search) {
  const query = new URLSearchParams(search);
  const look = { ...PLAIN };
  for (const name of Object.keys(PLAIN)) {
    if (query.has(name)) look[name] = name === "late" ? query.get(name) === "1" : query.get(name);
  }
  return look;
}

/* What is not the usual, as an address says it. */
export const queryOf = (look) => new URLSearchParams(
  Object.entries(look).filter(([name, value]) => value !== PLAIN[name]).map(([name, value]) => [name, value === true ? "1" : value]),
).toString();

/* What the server is told. */
export const askedOf = (look) => ({ ...look, late: look.late ? "1" : "" });

/* Calls `act` when another region is looked at, not when the first becomes known. */
export function useOtherRegion(region, act) {
  const seen = useRef("");
  useEffect(() => {
    if (seen.current && region && seen.current !== region) act();
    seen.current = region || seen.current;
  }, [region]);
}

/* Tab, order and filters of the list, in the address; each change is told to the server. */
export function useLook(tell, region) {
  const [look, set] = useState(() => readLook(window.location.search));
  // A hub belongs to its city; the frame has taken it out of the address already.
  useOtherRegion(region, () => set((before) => ({ ...before, hub: "" })));
  const change = (changes) => {
    const next = { ...look, ...changes };
    set(next);
    writeAddress(Object.fromEntries(Object.entries(next).map(([name, value]) => [name, value === PLAIN[name] ? "" : value])));
    if (Object.keys(changes).some((name) => name !== "drivers")) tell(askedOf(next));
  };
  return [look, change];
}

const BEAT_MS = 1000;
const ANYWAY_MS = 10_000;
const PATIENCE_MS = 5000;

/*
 * Asks each second whether anything changed, and for the rows again when it did: one question at a
 * time, never while carrying. Loads and shifts move without an order's change, so now and then anyway.
 */
export function useRefresh({ region, changes, loaded, onBeat, onRefresh }, carried) {
  const last = useRef({ changes: null, loaded: -1, at: 0 });
  const look = (anyway) => {
    const { current: before } = last;
    const now = Date.now();
    const waiting = loaded === before.loaded && now - before.at < PATIENCE_MS;
    if (before.changes === null) before.changes = changes;
    const due = changes !== before.changes || (anyway && now - before.at > ANYWAY_MS && before.at > 0);
    before.at ||= now;
    if (!due || carried || waiting) return;
    last.current = { changes, loaded, at: now };
    onRefresh();
  };
  const now = useRef(look);
  useEffect(() => {
    now.current = look;
  });
  useEffect(() => look(false), [changes, loaded, carried]);
  useEffect(() => {
    if (!region) return undefined;
    const beat = () => {
      if (document.visibilityState !== "visible") return;
      onBeat(region);
      now.current(true);
    };
    beat();
    const timer = setInterval(beat, BEAT_MS);
    document.addEventListener("visibilitychange", beat);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", beat);
    };
  }, [region]);
}

/* The order under the keyboard, the one at hand, the marked ones; all by id, so that rows may come and go. */
export function useChoice(shown, detail, onChoose) {
  const [active, setActive] = useState("");
  const [chosen, setChosen] = useState("");
  const [marked, setMarked] = useState(() => new Set());
  const [anchor, setAnchor] = useState("");
  const [whyOpen, setWhyOpen] = useState(() => !window.matchMedia("(max-width: 820px)").matches);
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
    /* What was at hand is done: the keyboard goes to the next order. */
    moveOn: () => {
      const next = shown.slice(at + 1).find((order) => !order.left) ?? shown.slice(0, Math.max(0, at)).findLast((order) => !order.left);
      choose("");
      setActive(next?.id ?? "");
    },
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

/*
 * Candidates in the order in which they were first ranked for this order: a number that somebody is
 * about to press keeps its driver. What is known of each is new, and newcomers stand at the end.
 */
function useRanking(detail, chosen) {
  const held = useRef({ id: "", places: new Map() });
  return useMemo(() => {
    if (!chosen || detail.id !== chosen) return null;
    if (held.current.id !== chosen) held.current = { id: chosen, places: new Map() };
    const { places } = held.current;
    for (const driver of detail.drivers) if (!places.has(driver.id)) places.set(driver.id, places.size);
    const hindered = (driver) => (driver.unfit ? 2 : driver.note ? 1 : 0);
    return [...detail.drivers].sort((a, b) => hindered(a) - hindered(b) || places.get(a.id) - places.get(b.id));
  }, [detail, chosen]);
}

/* The drivers to show, best first for the order at hand, and the one that would get it. */
export function useDrivers({ drivers, chosenDetail }, chosen, look) {
  const [named, setNamed] = useState(() => new URLSearchParams(window.location.search).get("driver") ?? "");
  const candidates = useRanking(chosenDetail, chosen);
  const ranked = useMemo(
    () => candidates ?? (chosen ? [] : [...drivers].filter((driver) => !driver.unfit && driver.load < driver.room).sort(SORTS[look.drivers] ?? SORTS.room)),
    [candidates, drivers, chosen, look.drivers],
  );
  useEffect(() => {
    // Another order: the best driver for it is offered, unless somebody picks another.
    if (chosen) setNamed("");
  }, [chosen]);
  const picked = named || (candidates?.find((driver) => !driver.unfit)?.id ?? "");
  const target = useMemo(
    () => [...(candidates ?? []), ...drivers].find((driver) => driver.id === picked) ?? null,
    [candidates, drivers, picked],
  );
  return {
    ranked, target, picked,
    pick: (id) => {
      setNamed(id);
      writeAddress({ driver: id });
    },
  };
}

const NO_LINE = [];

/* The way the driver in question is to go; asked for again when their tour has changed. */
export function useTour({ plans, tour, onTour }, driver) {
  const version = driver ? plans.rows.find((plan) => plan.driver === driver)?.version : undefined;
  useEffect(() => {
    if (driver && version !== undefined) onTour(driver);
  }, [driver, version]);
  return version !== undefined && tour.driver === driver ? tour.line : NO_LINE;
}
