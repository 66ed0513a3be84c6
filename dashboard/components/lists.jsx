/* What every list offers: saved views, a choice of columns, CSV, and acting on several rows. */
import { useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation } from "react-router";
import { ticked, untick } from "./list_picks.js";

/* What the address asks for, in an order of its own and without what belongs to the moment. */
function asked(search, momentary) {
  const kept = [...new URLSearchParams(search)].filter(
    ([name, value]) => value && !momentary.includes(name),
  );
  return new URLSearchParams(kept.sort()).toString();
}

function NewView({ onSave, onLeave }) {
  const submit = (event) => {
    event.preventDefault();
    const name = new FormData(event.currentTarget).get("name").trim();
    if (name) onSave(name);
    onLeave();
  };
  return (
    <form
      className="wp-row"
      onSubmit={submit}
      onKeyDown={(event) => event.key === "Escape" && onLeave()}
    >
      <input
        name="name"
        className="wp-input wp-view-name"
        placeholder="Name of this view"
        aria-label="Name of this view"
        maxLength={40}
        autoComplete="off"
        autoFocus
      />
      <button type="submit" className="wp-button wp-button-small">Save</button>
      <button type="button" className="wp-button wp-button-small wp-button-quiet" onClick={onLeave}>
        Cancel
      </button>
    </form>
  );
}

/*
 * The person's own views of a page. A page that keeps its address up by itself says in `search` what
 * it asks for, and goes to a view's query by `onGo`.
 */
export function Views({ views, momentary, search, onGo, onSave, onRemove }) {
  const location = useLocation();
  const { pathname } = location;
  const here = search ?? location.search;
  const going = (query) => onGo && ((event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    onGo(query);
  });
  const [naming, setNaming] = useState(false);
  // The page was drawn beforehand without an address: the first picture must be that one.
  const [query, setQuery] = useState("");
  useEffect(() => setQuery(asked(here, momentary)), [here]);
  // Those of the page before this one are still here until this one's are loaded.
  const own = views.filter((view) => view.page === (pathname.replace(/\/+$/, "") || "/"));
  const current = own.find((view) => asked(view.query, []) === query);
  const line = useRef(null);
  // Where the views stand in one line, the one that is on stays in sight with what forgets it.
  useEffect(() => {
    const on = line.current.querySelector(".wp-view:has([aria-current])");
    on?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [current?.id]);
  return (
    <nav ref={line} className="wp-views" aria-label="Views of this list">
      <Link to={pathname} className="wp-chip" aria-current={query === "" ? "page" : undefined} onClick={going("")}>
        All
      </Link>
      {own.map((view) => (
        <span key={view.id} className="wp-view">
          <Link
            to={view.query ? `${pathname}?${view.query}` : pathname}
            className="wp-chip"
            aria-current={view === current ? "page" : undefined}
            onClick={going(view.query)}
          >
            <span className="wp-view-words" title={view.name}>{view.name}</span>
          </Link>
          {view === current && (
            <button
              type="button"
              className="wp-icon-button"
              aria-label={`Forget the view ${view.name}`}
              title="Forget this view"
              onClick={() => onRemove(view.id)}
            >
              <svg viewBox="0 0 16 16" width="10" height="10" aria-hidden="true">
                <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" />
              </svg>
            </button>
          )}
        </span>
      ))}
      {naming && <NewView onSave={(name) => onSave(name, query)} onLeave={() => setNaming(false)} />}
      {!naming && query !== "" && !current && (
        <button
          type="button"
          className="wp-button wp-button-small wp-button-quiet"
          onClick={() => setNaming(true)}
        >
          Save view
        </button>
      )}
    </nav>
  );
}

function remembered(key) {
  try {
    const words = JSON.parse(localStorage.getItem(key) ?? "[]");
    return Array.isArray(words) ? words : [];
  } catch {
    return [];
  }
}

/* A table under its bar. Hidden columns are remembered by their words, in this browser. */
export function ListBox({
  name, columns = [], views = [], momentary = [], csv, csvTitle, onSave, onRemove, children,
}) {
  const key = `columns:${name}`;
  const [hidden, setHidden] = useState([]);
  useEffect(() => setHidden(remembered(key)), [key]);
  const toggle = (word) => {
    const next = hidden.includes(word) ? hidden.filter((each) => each !== word) : [...hidden, word];
    localStorage.setItem(key, JSON.stringify(next));
    setHidden(next);
  };
  const numbers = columns
    .filter((column) => hidden.includes(column.word))
    .map((column) => column.at)
    .join(" ");
  return (
    <div className="wp-list" data-list={name} data-hidden={numbers}>
      <div className="wp-list-bar">
        <Views views={views} momentary={momentary} onSave={onSave} onRemove={onRemove} />
        <div className="wp-list-tools">
          <details className="wp-menu">
            <summary className="wp-button wp-button-small">
              Columns{numbers && <span className="wp-muted">{columns.length - numbers.split(" ").length} of {columns.length}</span>}
            </summary>
            <div className="wp-menu-list wp-menu-right">
              {columns.map((column) => (
                <label key={column.at} className="wp-menu-row wp-check">
                  <span>{column.word}</span>
                  <input
                    type="checkbox"
                    checked={!hidden.includes(column.word)}
                    onChange={() => toggle(column.word)}
                  />
                </label>
              ))}
            </div>
          </details>
          {csv && (
            <a href={csv} download className="wp-button wp-button-small" title={csvTitle}>CSV</a>
          )}
        </div>
      </div>
      {children}
    </div>
  );
}

/* Acts on the rows whose box is ticked; asks once more before what cannot be undone. */
export function Bulk({ name, rows, actions = [], onAct }) {
  const [ids, setIds] = useState([]);
  const [asking, setAsking] = useState(null);
  const boxes = useMemo(() => `input[data-pick="${name}"]`, [name]);

  useEffect(() => {
    const count = (event) => {
      if (event?.target?.matches?.(`input[data-pick-all="${name}"]`)) {
        document.querySelectorAll(boxes).forEach((box) => { box.checked = event.target.checked; });
      }
      const chosen = ticked(name);
      const all = document.querySelectorAll(boxes).length;
      const head = document.querySelector(`input[data-pick-all="${name}"]`);
      if (head) {
        head.checked = all > 0 && chosen.length === all;
        head.indeterminate = chosen.length > 0 && chosen.length < all;
      }
      setIds(chosen);
      if (chosen.length === 0) setAsking(null);
    };
    count();
    document.addEventListener("change", count);
    return () => document.removeEventListener("change", count);
  }, [name, boxes, rows]);

  const act = (action) => {
    if (action.ask && asking !== action) {
      setAsking(action);
      return;
    }
    onAct(action.key, ids);
    untick(name);
  };
  if (ids.length === 0) return null;
  return (
    <div className="wp-bulk" role="group" aria-label="The chosen rows">
      <span className="wp-grow" aria-live="polite">
        {asking ? asking.ask : `${ids.length} chosen`}
      </span>
      {(asking ? [asking] : actions).map((action) => (
        <button
          key={action.key}
          type="button"
          className={`wp-button wp-button-small ${action.risk ? "wp-button-risk" : ""}`}
          onClick={() => act(action)}
        >
          {action.word} {ids.length}
        </button>
      ))}
      <button
        type="button"
        className="wp-button wp-button-small wp-button-quiet"
        onClick={() => (asking ? setAsking(null) : untick(name))}
      >
        {asking ? "Keep" : "Clear"}
      </button>
    </div>
  );
}
