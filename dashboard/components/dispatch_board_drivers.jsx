/* Drivers with room; for a chosen order ranked by what it costs them, the unfit greyed with why. */
import { useDrag } from "./dispatch_board_drag.js";
import { clockOf } from "./dispatch_board_time.js";
import { Pick } from "./dispatch_board_queue.jsx";

const SORTS = [["best", "best first"], ["near", "nearest"], ["room", "most room"], ["code", "by code"]];
const SOON_MS = 60 * 60_000;

/* A driver's room as tone and word. */
export function roomOf(driver, now, zone) {
  if (driver.unfit) return ["off", driver.unfit];
  if (driver.note) return ["warning", driver.note];
  if (driver.ends && driver.ends - now < SOON_MS) return ["warning", `ends ${clockOf(driver.ends, zone)}`];
  if (driver.load >= driver.room) return ["off", `full, ${driver.load} of ${driver.room}`];
  return driver.load === 0 ? ["good", "free"] : ["info", `${driver.load} of ${driver.room}`];
}

export const kmOf = (metres) => (metres < 0 ? "" : metres < 950 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(1)} km`);
export const minutesOf = (seconds) => (seconds < 0 ? "" : `${Math.max(1, Math.round(seconds / 60))} min`);

export function Drivers({ board }) {
  const { ranked, chosenOrder, picked, ready, look, onLook } = board;
  const fit = ranked.filter((driver) => !driver.unfit).length;
  return (
    <section className="wpb-drivers" aria-label="Drivers" data-pane="drivers">
      <header className="wpb-head wpb-drivers-head">
        <h2>Drivers with room <span className="wpb-count">{fit}</span></h2>
        {chosenOrder
          ? <span className="wp-muted wp-clip">for {chosenOrder.number}</span>
          : <Pick label="Order of the drivers" value={look.drivers} choices={SORTS.slice(2)} onChange={(drivers) => onLook({ drivers })} />}
      </header>
      <div
        className="wpb-rows" role={ranked.length ? "listbox" : "group"} aria-label={chosenOrder ? `Drivers for ${chosenOrder.number}` : "Drivers with room"}
        tabIndex={0} aria-busy={!ready}
      >
        {!ready && ranked.length === 0 && Array.from({ length: 10 }, (_, i) => (
          <div key={i} className="wpb-driver wpb-bones" aria-hidden="true">
            <span /><span className="wp-bone" style={{ width: 96 + ((i * 29) % 40) }} /><span className="wp-bone" style={{ width: 44 }} />
          </div>
        ))}
        {ready && ranked.length === 0 && (
          <div className="wp-empty"><strong>No driver is on shift here</strong><span>Plan a shift, or look at a wider region.</span></div>
        )}
        {ranked.map((driver, i) => (
          <DriverRow key={driver.id} driver={driver} board={board} place={i + 1} picked={driver.id === picked} />
        ))}
      </div>
    </section>
  );
}

function DriverRow({ driver, board, place, picked }) {
  const over = useDrag((drag) => drag.load !== null && drag.target === driver.id);
  const [tone, word] = roomOf(driver, Date.now(), board.zone);
  const distance = [kmOf(driver.metres), minutesOf(driver.seconds)].filter(Boolean);
  return (
    <div
      className="wpb-driver" role="option" aria-selected={picked} data-driver={driver.id} data-unfit={driver.unfit ? "" : undefined}
      data-picked={picked ? "" : undefined} data-over={over ? "" : undefined} onClick={() => board.pick(driver.id)}
      onDoubleClick={() => board.chosenOrder && board.assignTo([board.chosenOrder.id], driver.id)}
      onPointerEnter={() => board.hoverDriver(driver.id)} onPointerLeave={() => board.hoverDriver("")}
    >
      <span className="wpb-place" aria-hidden="true">{board.chosenOrder && place <= 9 && !driver.unfit ? place : ""}</span>
      <span className="wpb-driver-name wp-clip"><span className="wpb-code">{driver.code}</span> {driver.name}</span>
      <span className="wp-state wpb-room wp-clip" title={word}><span className="wp-shape" data-tone={tone} aria-hidden="true" />{word}</span>
      <span className="wpb-far">{distance[0] ?? driver.vehicle}{distance[1] && <small>{distance[1]}</small>}</span>
    </div>
  );
}
