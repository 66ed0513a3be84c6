/* The queue: tabs, filters, and orders in an order that does not jump under the cursor. */
import { useEffect, useRef, useState } from "react";
import { holdStill } from "./dispatch_board_drag.js";
import { OrderRow } from "./dispatch_board_row.jsx";
import { queryOf, readLook } from "./dispatch_board_state.js";
import { Views } from "../lists/lists.jsx";

export const TABS = [["open", "Unassigned"], ["assigned", "With drivers"], ["held", "On hold"]];
const SORTS = [["late", "late first"], ["oldest", "oldest first"], ["newest", "newest first"]];
const MOMENTARY = [];
const SERVICES = [["express", "Express"], ["standard", "Standard"]];

export function Queue({ board }) {
  const { look, onLook, counts, hubs, marked } = board;
  return (
    <section className="wpb-queue" aria-label="Orders" data-pane="queue">
      <header className="wpb-head">
        <div className="wpb-tabs" role="tablist" aria-label="Orders by state">
          {TABS.map(([name, word]) => (
            <button
              key={name} type="button" role="tab" aria-selected={look.tab === name} aria-controls="wpb-orders"
              onClick={() => onLook({ tab: name })}
            >
              {word} <b>{(counts[name] ?? 0).toLocaleString("en-GB")}</b>
            </button>
          ))}
        </div>
      </header>
      {marked.size > 0 ? <BulkBar board={board} /> : (
        <div className="wpb-filters" role="group" aria-label="Filters">
          <label className="wpb-find">
            <span className="wp-hidden-words">Find an order by number, reference, barcode or name</span>
            <Find value={look.q} onChange={(q) => onLook({ q })} />
          </label>
          <Pick label="Order of the list" value={look.sort} choices={SORTS} onChange={(sort) => onLook({ sort })} />
          <button type="button" className="wp-chip" aria-pressed={look.late} onClick={() => onLook({ late: !look.late })}>
            <span className="wp-shape" data-tone="critical" aria-hidden="true" />Late <b>{counts.late ?? 0}</b>
          </button>
          {SERVICES.map(([name, word]) => (
            <button
              key={name} type="button" className="wp-chip" aria-pressed={look.service === name}
              onClick={() => onLook({ service: look.service === name ? "" : name })}
            >{word}</button>
          ))}
          {hubs.length > 0 && (
            <Pick label="Hub" value={look.hub} choices={[["", "Every hub"], ...hubs.map((hub) => [hub.code, hub.name])]} onChange={(hub) => onLook({ hub })} />
          )}
        </div>
      )}
      <Kept board={board} />
      <Orders board={board} />
    </section>
  );
}

/* What the person looks at again and again, and the file of what is listed. */
function Kept({ board }) {
  const { look, onLook, hubs, views } = board;
  const go = (query) => {
    const wanted = readLook(query);
    // A hub is known in its own city alone.
    onLook({ ...wanted, hub: hubs.some((hub) => hub.code === wanted.hub) ? wanted.hub : "" });
  };
  return (
    <div className="wpb-kept">
      <Views views={views.rows} momentary={MOMENTARY} search={queryOf(look)} onGo={go} onSave={views.save} onRemove={views.remove} />
      {board.csv && (
        <a href={board.csv} download className="wp-button wp-button-small" title="Download the orders that the filters show">CSV</a>
      )}
    </div>
  );
}

function Find({ value, onChange }) {
  const [text, setText] = useState(value);
  const timer = useRef(null);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const change = (next) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next.trim()), 250);
  };
  return (
    <input
      id="wpb-find" type="search" value={text} placeholder="Number, reference, name" autoComplete="off" spellCheck="false"
      onChange={(event) => change(event.target.value)}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        if (text) change("");
        event.currentTarget.blur();
      }}
    />
  );
}

export function Pick({ label, value, choices, onChange }) {
  const chosen = choices.find(([name]) => name === value);
  return (
    <label className="wp-chip wpb-pick" data-on={value && value !== choices[0][0] ? "" : undefined}>
      <span>{chosen?.[1] ?? value}</span>
      <svg viewBox="0 0 8 5" width="8" height="5" aria-hidden="true"><path d="M.5.5L4 4 7.5.5" fill="none" stroke="currentColor" /></svg>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>
        {choices.map(([name, word]) => <option key={name} value={name}>{word}</option>)}
      </select>
    </label>
  );
}

function BulkBar({ board }) {
  const { marked, target, may, tab } = board;
  return (
    <div className="wpb-bulk" role="group" aria-label="For the marked orders">
      <strong>{marked.size} marked</strong>
      <button type="button" className="wp-button wp-button-small wp-button-main" disabled={!may.assign || !target} onClick={board.assign}>
        {target ? `Assign to ${target.code}` : "Choose a driver"} <kbd>a</kbd>
      </button>
      {tab === "assigned" && <button type="button" className="wp-button wp-button-small" disabled={!may.assign} onClick={board.unassign}>Unassign</button>}
      {tab === "held"
        ? <button type="button" className="wp-button wp-button-small" disabled={!may.hold} onClick={board.release}>Release</button>
        : <button type="button" className="wp-button wp-button-small" disabled={!may.hold} onClick={board.hold}>Hold</button>}
      <button type="button" className="wp-button wp-button-small" disabled={!may.cancel} onClick={board.cancel}>Cancel</button>
      <button type="button" className="wp-icon-button" aria-label="Unmark all" onClick={board.unmark}>
        <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" /></svg>
      </button>
    </div>
  );
}

function Orders({ board }) {
  const { shown, fresh, show, active, chosen, marked, ready, setHeld } = board;
  const box = useRef(null);
  useEffect(() => {
    box.current?.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  }, [active]);
  useEffect(() => holdStill(box.current), []);
  const empty = shown.length === 0;
  return (
    <div className="wpb-list" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      {fresh > 0 && (
        <button type="button" className="wpb-fresh" onClick={show}>{fresh} new: show <kbd>n</kbd></button>
      )}
      <div
        id="wpb-orders" className="wpb-rows" ref={box} tabIndex={0} role={empty ? "group" : "listbox"} aria-label="Orders of the queue"
        aria-multiselectable={empty ? undefined : true} aria-activedescendant={!empty && active ? `wpb-o-${active}` : undefined}
        aria-busy={!ready}
        onKeyDown={(event) => {
          const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (!step || event.altKey) return;
          event.preventDefault();
          board.step(step, event.shiftKey);
        }}
      >
        {!ready && empty && <Bones />}
        {ready && empty && <Nothing board={board} />}
        {shown.map((order) => (
          <OrderRow
            key={order.id} order={order} board={board} active={order.id === active} chosen={order.id === chosen}
            marked={marked.has(order.id)} marking={marked.size > 0}
          />
        ))}
      </div>
      {board.full && board.counts[board.tab] > shown.length && (
        <p className="wpb-more">The first {shown.length} of {board.counts[board.tab].toLocaleString("en-GB")}; narrow the filters to see others.</p>
      )}
    </div>
  );
}

function Bones() {
  return Array.from({ length: 9 }, (_, i) => (
    <div key={i} className="wpb-row wpb-bones" aria-hidden="true">
      <div><span className="wp-bone" style={{ width: 104 }} /><span className="wp-grow" /><span className="wp-bone" style={{ width: 62 }} /></div>
      <div><span className="wp-bone" style={{ width: 130 + ((i * 41) % 60) }} /><span className="wp-grow" /><span className="wp-bone" style={{ width: 86 }} /></div>
    </div>
  ));
}

function Nothing({ board }) {
  const { look, tab, onLook } = board;
  if (look.q || look.late || look.service || look.hub) {
    return (
      <div className="wp-empty">
        <strong>No order fits the filters</strong>
        <button type="button" className="wp-button wp-button-small" onClick={() => onLook({ q: "", late: false, service: "", hub: "" })}>Clear the filters</button>
      </div>
    );
  }
  const words = {
    open: ["Every order has a driver", "New orders appear here as they come in."],
    assigned: ["No order is with a driver", "Assign one from the queue, or let matching do it."],
    held: ["No order is on hold", "Hold an order with h to keep it from being matched."],
  }[tab];
  return <div className="wp-empty"><strong>{words[0]}</strong><span>{words[1]}</span></div>;
}
