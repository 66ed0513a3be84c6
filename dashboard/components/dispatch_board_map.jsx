/* The live map in the middle of the board: drivers, open orders, the chosen order and its candidates. */
import { useEffect, useMemo, useRef, useState } from "react";
import { dropOnMap, useDrag } from "./dispatch_board_drag.js";
import { addOrderLayers, chosenScene, orderPoints, showHeat } from "./dispatch_board_layers.js";
import { lateness, useNow } from "./dispatch_board_time.js";
import { FleetMapEngine } from "./fleet_map_engine.js";
import { boundsOf, cityOf, useGeography } from "./fleet_map_geography.js";
import "./fleet_map.css";

const EVERYBODY = { status: [], vehicle: [], hub: "", q: "" };
const NUMBERED = 9;
const DROP_REACH_PX = 22;

export function BoardMap({ board, region, styles, stylesKnown }) {
  const box = useRef(null);
  const [engine, setEngine] = useState(null);
  const [geography, setGeography] = useState(null);
  const [hover, setHover] = useState(null);
  const [heat, setHeat] = useState(false);
  const [, redraw] = useState(0);
  const held = useRef({ board });
  useEffect(() => {
    held.current.board = board;
  });
  const [ready] = useState(promised);
  useEffect(() => {
    if (stylesKnown) ready.resolve(styles);
  }, [stylesKnown]);

  useEffect(() => {
    const made = new FleetMapEngine(box.current, {
      styles: ready.promise, padding: { left: 24, right: 24, top: 64, bottom: 40 }, label: "Map of drivers and open orders",
    }, {
      change: () => redraw((n) => n + 1),
      link: (link) => link === "signed_out" && window.location.reload(),
      select: (slot) => slot !== null && held.current.board.pick(made.points.details.get(slot)?.id ?? ""),
      hover: setHover,
      dress: (map, theme, content) => addOrderLayers(map, theme, content),
    });
    made.map.on("move", () => redraw((n) => n + 1));
    made.map.on("click", "order-points", (event) => held.current.board.choose(event.features[0].properties.id));
    box.current.fleetMap = made;
    dropOnMap((x, y) => {
      const at = box.current.getBoundingClientRect();
      const slot = made.under({ x: x - at.left, y: y - at.top }, DROP_REACH_PX);
      return (slot !== null && made.points.details.get(slot)?.id) || "";
    });
    setEngine(made);
    return () => {
      dropOnMap(() => "");
      made.close();
    };
  }, []);

  useGeography(engine, setGeography);
  useEffect(() => {
    if (geography) board.learnHubs(geography);
  }, [geography]);
  useEffect(() => {
    if (!engine || !geography || !region) return;
    engine.stress(cityOf(region));
    engine.camera.fit(boundsOf(geography, region), false);
    engine.filter(EVERYBODY, region, null);
  }, [engine, geography, region]);

  useOrders(engine, board, heat);
  useChosen(engine, board);
  usePointed(engine, board);
  return (
    <div className="wpb-map wpm" data-pane="map">
      <div ref={box} className="wpm-map" />
      <div className="wpb-map-tools">
        <button type="button" className="wpm-tool" aria-label="Closer" onClick={() => engine?.camera.zoomBy(1)}>+</button>
        <button type="button" className="wpm-tool" aria-label="Farther" onClick={() => engine?.camera.zoomBy(-1)}>−</button>
        <button type="button" className="wpm-tool" aria-label="Show the whole region" onClick={() => geography && engine?.camera.fit(boundsOf(geography, region))}>
          <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" fill="none" stroke="currentColor" strokeWidth="1.5" /></svg>
        </button>
        <button type="button" className="wpm-tool" aria-label="Open orders as heat" aria-pressed={heat} onClick={() => setHeat(!heat)}>
          <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M8 2c.6 2.6 3.8 3.6 3.8 7.2A3.8 3.8 0 0 1 8 13.5a3.8 3.8 0 0 1-3.8-4.3C4.200 7.500 5.400 7 5.600 5.400 7 6 7.3 7 7.4 7.8 8.400 6.400 8.600 4 8 2z" fill="none" stroke="currentColor" strokeWidth="1.3" strokeLinejoin="round" /></svg>
        </button>
      </div>
      {engine && <Numbers engine={engine} board={board} />}
      {engine && hover !== null && <Hover engine={engine} slot={hover} board={board} />}
    </div>
  );
}

function promised() {
  const out = {};
  out.promise = new Promise((resolve) => { out.resolve = resolve; });
  return out;
}

function useOrders(engine, board, heat) {
  const now = useNow(10_000);
  useEffect(() => {
    if (!engine) return;
    const open = board.shown.filter((order) => !order.left && order.id !== board.chosen);
    engine.fill("orders", orderPoints(open, (order) => lateness(order, now).tone));
  }, [engine, board.shown, board.chosen, now]);
  useEffect(() => {
    if (!engine) return;
    engine.content.heat = heat;
    showHeat(engine.map, heat);
  }, [engine, heat]);
}

function useChosen(engine, board) {
  const { chosenOrder: order, target, planLine } = board;
  useEffect(() => {
    if (!engine) return;
    const scene = chosenScene(order, target, planLine);
    engine.fill("order-ways", scene.ways);
    engine.fill("order-ends", scene.ends);
  }, [engine, order, target?.id, target?.lon, planLine]);
  useEffect(() => {
    if (!engine || !order) return;
    const [west, east] = [Math.min(order.start[0], order.end[0]), Math.max(order.start[0], order.end[0])];
    const [south, north] = [Math.min(order.start[1], order.end[1]), Math.max(order.start[1], order.end[1])];
    const seen = engine.map.getBounds();
    const inside = west > seen.getWest() && east < seen.getEast() && south > seen.getSouth() && north < seen.getNorth();
    if (!inside || engine.map.getZoom() < 9) engine.camera.fit([[west - 0.02, south - 0.03], [east + 0.02, north + 0.02]]);
  }, [engine, order?.id]);
}

/* The driver picked, pointed at in the list, or under a carried order stands out on the map. */
function usePointed(engine, board) {
  const carriedOver = useDrag((drag) => (drag.load ? drag.target : ""));
  const pointed = carriedOver || board.hovered;
  useEffect(() => {
    engine?.select(engine.points.slotOf.get(board.picked) ?? null);
  }, [engine, board.picked, board.ranked]);
  useEffect(() => {
    engine?.hoverAt(engine.points.slotOf.get(pointed) ?? null);
  }, [engine, pointed]);
}

/* The best drivers for the chosen order, by their number. */
function Numbers({ engine, board }) {
  const best = useMemo(() => (board.chosenOrder ? board.ranked.filter((driver) => !driver.unfit).slice(0, NUMBERED) : []), [board.chosenOrder?.id, board.ranked]);
  return best.map((driver, i) => {
    const slot = engine.points.slotOf.get(driver.id);
    const at = slot === undefined ? null : engine.screenOf(slot);
    if (!at) return null;
    return (
      <span key={driver.id} className="wpb-badge" data-picked={driver.id === board.picked ? "" : undefined} aria-hidden="true"
        style={{ transform: `translate(${Math.round(at.x + 7)}px, ${Math.round(at.y - 18)}px)` }}>{i + 1}</span>
    );
  });
}

function Hover({ engine, slot, board }) {
  const at = engine.screenOf(slot);
  const detail = engine.points.details.get(slot);
  if (!at || !detail) return null;
  const known = board.ranked.find((driver) => driver.id === detail.id);
  const words = known ? (known.unfit || `${known.load} of ${known.room}`) : detail.vehicle;
  return (
    <div className="wpm-hover" style={{ transform: `translate(${Math.round(at.x + 12)}px, ${Math.round(at.y - 14)}px)` }} aria-hidden="true">
      <strong>{detail.code}</strong> {detail.name}<br /><span className="wp-muted">{words}</span>
    </div>
  );
}
