/* What a search found, alike in the command palette and in a page's own search box. */
import { useEffect, useId, useRef, useState } from "react";
import { useNavigate } from "react-router";

const ASKED_AFTER_MS = 150;
export const SHORTEST = 2;

/* Asks the server for what is typed, once the typing rests. */
export function useAsking(text, onFind) {
  useEffect(() => {
    const wanted = text.trim();
    if (wanted.length < SHORTEST) return undefined;
    const timer = setTimeout(() => onFind?.(wanted), ASKED_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text]);
}

/* What was found for the text; what answered an earlier text stays only where it still fits. */
export function fitting(text, found, foundFor) {
  const wanted = text.trim().toLowerCase();
  if (wanted.length < SHORTEST) return [];
  if (foundFor.toLowerCase() === wanted) return found;
  return found.filter((each) => each.words.toLowerCase().includes(wanted));
}

export const searching = (text, foundFor) =>
  text.trim().length >= SHORTEST && foundFor.toLowerCase() !== text.trim().toLowerCase();

export function FoundLine({ label, detail, hint, why }) {
  return (
    <>
      <span className="wp-option-label wp-found">
        <span className="wp-found-label">{label}</span>
        {detail && <span className="wp-found-detail">{detail}</span>}
      </span>
      <span className="wp-option-hint wp-found-why">
        {hint && <span>{hint}</span>}
        {why && <span className="wp-found-by">{why}</span>}
      </span>
    </>
  );
}

/* A search box of a page: what is typed is looked for as in the palette, and shown below it. */
export function SearchBox({ label = "Search", placeholder = "", found = [], foundFor = "", onFind }) {
  const navigate = useNavigate();
  const list = useId();
  const box = useRef(null);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState(0);
  useAsking(text, onFind);
  const things = fitting(text, found, foundFor);
  const selected = Math.min(chosen, Math.max(things.length - 1, 0));
  const shown = open && text.trim().length >= SHORTEST;

  const go = (thing) => {
    if (!thing) return;
    setOpen(false);
    navigate(thing.href);
  };
  const onKeyDown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && things.length) {
      event.preventDefault();
      setOpen(true);
      setChosen((selected + step + things.length) % things.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!searching(text, foundFor)) go(things[selected]);
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      setOpen(false);
    }
  };

  return (
    <div
      ref={box} className="wp-search-box" role="search" aria-label={label}
      onBlur={(event) => !box.current.contains(event.relatedTarget) && setOpen(false)}
    >
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5">
        <circle cx="7" cy="7" r="4.5" /><path d="M10.5 10.5L14 14" />
      </svg>
      <input
        type="text" role="combobox" className="wp-input" aria-label={label} placeholder={placeholder}
        aria-expanded={shown} aria-controls={list} autoComplete="off" spellCheck="false"
        aria-activedescendant={shown && things.length ? `${list}-${selected}` : undefined}
        value={text} onFocus={() => setOpen(true)} onKeyDown={onKeyDown}
        onChange={(event) => { setText(event.target.value); setChosen(0); setOpen(true); }}
      />
      <div id={list} role="listbox" aria-label="Found" className="wp-search-list" hidden={!shown || !things.length}>
        {things.map((thing, index) => (
          <div
            key={thing.id} id={`${list}-${index}`} role="option" aria-selected={index === selected}
            onMouseMove={() => setChosen(index)} onMouseDown={(event) => event.preventDefault()}
            onClick={() => go(thing)}
          >
            <span className="wp-option-group">
              {index === 0 || things[index - 1].group !== thing.group ? thing.group : ""}
            </span>
            <FoundLine {...thing} />
          </div>
        ))}
      </div>
      {shown && !things.length && (
        <p className="wp-search-list wp-palette-none" role="status">
          {searching(text, foundFor) ? "Searching" : "Nothing matches in your regions. Four digits of a phone or three letters of a name are enough."}
        </p>
      )}
    </div>
  );
}
