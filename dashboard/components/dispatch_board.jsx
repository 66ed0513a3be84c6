/* The dispatcher's board: the queue, the map, drivers with room, and plans on a time line. */
import { useMemo, useState } from "react";
import { Ask } from "./dispatch_board_ask.jsx";
import { OrderCard } from "./dispatch_board_card.jsx";
import { useDeeds } from "./dispatch_board_deeds.js";
import { useDrag } from "./dispatch_board_drag.js";
import { Outcome } from "./dispatch_board_drawer.jsx";
import { Drivers } from "./dispatch_board_drivers.jsx";
import { useBoardKeys } from "./dispatch_board_keys.js";
import { BoardMap } from "./dispatch_board_map.jsx";
import { Plans } from "./dispatch_board_plans.jsx";
import { Queue } from "./dispatch_board_queue.jsx";
import { askedOf, useChoice, useDrivers, useLook, useOtherRegion, useRefresh, useTour } from "./dispatch_board_state.js";
import { useSteady } from "./dispatch_board_steady.js";
import { MatchingSwitch } from "./dispatch_board_switch.jsx";
import { hubsOf } from "../fleet_map/fleet_map_geography.js";
import "./dispatch_board.css";

const FULL = 200; // rows of one page
const PANES = [["queue", "Queue"], ["map", "Map"], ["drivers", "Drivers"], ["plans", "Plans"]];

export function DispatchBoard(props) {
  const { region, zone, ready, fault, orders, gone, counts, plans, matching, chosenDetail, outcome, may } = props;
  const [pane, setPane] = useState("queue");
  const [held, setHeld] = useState(false);
  const [hovered, hoverDriver] = useState("");
  const [geography, learnHubs] = useState(null);
  const [look, onLook] = useLook(props.onLook, region);
  const carried = useDrag((drag) => drag.load !== null);
  const steady = useSteady(orders, gone, props.view, held || carried);
  const choice = useChoice(steady.shown, chosenDetail, props.onChoose);
  const drivers = useDrivers(props, choice.chosen, look);
  const refresh = () => props.onRefresh(askedOf(look));
  useRefresh({ ...props, onRefresh: refresh }, carried);
  const deeds = useDeeds({ props, shown: steady.shown, choice, target: drivers.target, pick: drivers.pick });
  useOtherRegion(region, () => {
    choice.unmark();
    choice.letGo();
    drivers.pick("");
  });

  const planLine = useTour(props, drivers.picked || choice.chosenOrder?.driver || "");
  const hubs = useMemo(() => (geography && region && region !== "*" ? hubsOf(geography, region) : []), [geography, region]);
  const board = {
    ...steady, ...choice, ...drivers, ...deeds, zone, ready, counts, plans, matching, may, look, onLook, tab: look.tab, setHeld, hovered, hoverDriver,
    hubs, learnHubs, planLine, detail: chosenDetail, full: orders.length >= FULL, csv: props.csv,
    views: { rows: props.views, save: props.onSaveView, remove: props.onRemoveView },
    back: () => {
      choice.letGo();
      setPane("queue");
    },
    choose: (id) => {
      choice.choose(id);
      if (pane === "queue" && narrow()) setPane("drivers");
    },
    /* On a phone, an order that a finger takes up is at hand, so that drivers are ranked for it. */
    taken: (ids) => ids.length === 1 && narrow() && choice.choose(ids[0]),
  };
  useBoardKeys(keysOf(board));
  // A phone shows one part at a time: what is carried there goes to the drivers.
  const shownPane = carried && narrow() ? "drivers" : pane;
  return (
    <div className="wpb" data-pane={shownPane} data-chosen={choice.chosenOrder ? "" : undefined} data-carried={carried ? "" : undefined}>
      <div className="wpb-panes" role="tablist" aria-label="Parts of the board">
        {PANES.map(([name, word]) => (
          <button key={name} type="button" role="tab" aria-selected={shownPane === name} onClick={() => setPane(name)}>
            {word}{name === "queue" && counts.open ? <b>{counts.open}</b> : null}
          </button>
        ))}
      </div>
      {fault && (
        <div className="wp-trouble wpb-fault" role="alert">
          <span className="wp-shape" data-tone="critical" aria-hidden="true" /><span className="wp-grow">{fault}</span>
          <button type="button" className="wp-button wp-button-small" onClick={refresh}>Try again</button>
        </div>
      )}
      <Queue board={board} />
      <div className="wpb-middle">
        <BoardMap board={board} region={region} styles={props.styles} stylesKnown={props.stylesKnown} />
        <MatchingSwitch board={board} />
        <OrderCard board={board} />
      </div>
      <Drivers board={board} />
      <Plans board={board} />
      <Tray board={board} />
      <Outcome outcome={outcome} onRetry={deeds.retry} onUndo={deeds.undo} onOverrule={deeds.overrule} onShow={board.choose} />
      <Ask question={deeds.question} onClose={deeds.forget} />
      <Ghost />
      <div className="wpb-said-box" role="status" aria-live="polite">{deeds.said && <p className="wpb-said">{deeds.said}</p>}</div>
    </div>
  );
}

const narrow = () => window.matchMedia("(max-width: 820px)").matches;

function keysOf(board) {
  return {
    j: () => board.step(1), k: () => board.step(-1), J: () => board.step(1, true), K: () => board.step(-1, true),
    Enter: () => board.active && board.choose(board.active),
    digit: (n) => {
      const nth = board.ranked.filter((driver) => !driver.unfit)[n - 1];
      if (nth) board.pick(nth.id);
    },
    x: () => board.active && board.mark(board.active),
    a: board.assign, u: board.unassign, c: board.cancel, r: board.redispatch,
    h: board.tab === "held" ? board.release : board.hold,
    n: board.show, w: () => board.setWhyOpen(!board.whyOpen),
    "/": () => document.getElementById("wpb-find")?.focus(),
    Escape: board.escape,
  };
}

/* On a phone: the order at hand and the one tap that assigns it. */
function Tray({ board }) {
  const { chosenOrder, target, may } = board;
  if (!chosenOrder) return null;
  return (
    <div className="wpb-tray">
      <span className="wp-clip"><strong>{chosenOrder.number}</strong> {target ? `to ${target.code}` : "choose a driver"}</span>
      <button type="button" className="wp-button wp-button-main" disabled={!target || !may.assign} onClick={board.assign}>Assign</button>
      <button type="button" className="wp-button" onClick={board.back}>Back</button>
    </div>
  );
}

/* What is carried, beside the mouse and above the finger. */
function Ghost() {
  const load = useDrag((drag) => drag.load);
  const x = useDrag((drag) => drag.x);
  const y = useDrag((drag) => drag.y);
  const target = useDrag((drag) => drag.target);
  const finger = useDrag((drag) => drag.finger);
  if (!load) return null;
  return (
    <div className="wpb-ghost" data-over={target ? "" : undefined} style={{ transform: `translate(${x + (finger ? -40 : 10)}px, ${y + (finger ? -64 : 8)}px)` }} aria-hidden="true">
      {load.label}<small>{target ? "let go to assign" : "onto a driver"}</small>
    </div>
  );
}
