/* Parts of the pages on orders and drivers: drawer, secret field, copied code, keys on rows, lightbox. */
import { useEffect, useImperativeHandle, useRef, useState } from "react";
import { ticked, untick } from "./list_picks.js";

const SECRET_SHOWN_MS = 30000;
const COPIED_MS = 1600;
const SEQUENCE_MS = 1200;

/* A panel over the page that takes the keyboard while it is open; Escape and its cross close it. */
export function Drawer({ open = false, label = "", onLeave, children }) {
  const dialog = useRef(null);
  useEffect(() => {
    if (open && !dialog.current.open) {
      dialog.current.showModal();
      dialog.current.querySelector("form input:not([type=radio], [type=checkbox]), form textarea")?.focus();
    }
    if (!open && dialog.current.open) dialog.current.close();
  }, [open]);
  return (
    <dialog
      ref={dialog} className="wp-dialog wp-drawer" aria-label={label}
      onCancel={(event) => { event.preventDefault(); onLeave?.(); }}
      onClick={(event) => event.target === dialog.current && onLeave?.()}
    >
      {open && (
        <div className="wp-drawer-in">
          <div className="wp-panel-head">
            <h2>{label}</h2>
            <button type="button" className="wp-icon-button" aria-label="Close" onClick={() => onLeave?.()}>
              <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
                <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" />
              </svg>
            </button>
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}

/*
 * A masked field that can be looked at once: what the server sends as its `value` is shown for half
 * a minute and kept nowhere else.
 */
export function Secret({ ref, id, masked = "", label = "", may = false, onReveal }) {
  const [plain, setPlain] = useState("");
  const [asked, setAsked] = useState(false);
  useImperativeHandle(ref, () => ({
    set value(text) {
      setPlain(text);
      setAsked(false);
    },
  }));
  useEffect(() => setPlain(""), [masked]);
  useEffect(() => {
    if (!plain) return undefined;
    const timer = setTimeout(() => setPlain(""), SECRET_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [plain]);
  useEffect(() => {
    if (!asked) return undefined;
    const timer = setTimeout(() => setAsked(false), 5000);
    return () => clearTimeout(timer);
  }, [asked]);
  if (!masked) return <span className="wp-muted">none</span>;
  const dialled = /^\+\d+$/.test(plain);
  return (
    <span className="wp-secret-field" id={id} aria-live="polite">
      {dialled ? <a href={`tel:${plain}`}>{plain}</a> : <span>{plain || masked}</span>}
      {may && !plain && (
        <button
          type="button" className="wp-chip" disabled={asked} aria-label={`Reveal ${label}`}
          title="Shown for 30 seconds; the look is recorded"
          onClick={() => { setAsked(true); onReveal?.(); }}
        >
          reveal
        </button>
      )}
      {plain && <button type="button" className="wp-chip" aria-label={`Hide ${label}`} onClick={() => setPlain("")}>hide</button>}
    </span>
  );
}

/* A code to be taken along: a click copies it. */
export function Copied({ text = "", label = "" }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [done]);
  return (
    <button
      type="button" className="wp-copy" aria-label={done ? "Copied" : `Copy ${label || text}`} title={done ? "Copied" : "Copy"}
      onClick={() => navigator.clipboard?.writeText(text).then(() => setDone(true), () => {})}
    >
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.4">
        {done
          ? <path d="M3 8.5l3.2 3.2L13 5" />
          : <path d="M5.5 5.5h7v7h-7zM10.5 5.5v-2h-7v7h2" strokeLinejoin="round" />}
      </svg>
    </button>
  );
}

/* Keys that act on the ticked rows of a list, or on the row that has the focus when none is ticked. */
export function RowKeys({ name, keys = [], onAct }) {
  useEffect(() => {
    let goingUntil = 0;
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || window.waypost.typing(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      // The key after a "g" says where to go; the frame takes it.
      const going = Date.now() < goingUntil;
      goingUntil = event.key === "g" && !going ? Date.now() + SEQUENCE_MS : 0;
      if (going) return;
      const action = keys.find((each) => each.key === event.key)?.action;
      if (!action) return;
      const chosen = ticked(name);
      const here = document.activeElement?.closest("tr")?.querySelector(`input[data-pick="${name}"]`);
      const ids = chosen.length ? chosen : here ? [here.value] : [];
      if (!ids.length) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      onAct?.(action, ids);
      untick(name);
    };
    window.addEventListener("keydown", press, true);
    return () => window.removeEventListener("keydown", press, true);
  }, [name, JSON.stringify(keys)]);
  return null;
}

/* A picture that fills the screen when it is chosen. */
export function Photo({ src, alt = "", note = "" }) {
  const dialog = useRef(null);
  const [broken, setBroken] = useState(false);
  if (broken) return <span className="wp-photo wp-photo-none">The picture cannot be read</span>;
  return (
    <>
      <button type="button" className="wp-photo" onClick={() => dialog.current.showModal()} aria-label={`Enlarge: ${alt}`}>
        <img src={src} alt={alt} loading="lazy" onError={() => setBroken(true)} />
      </button>
      <dialog ref={dialog} className="wp-dialog wp-photo-large" aria-label={alt} onClick={() => dialog.current.close()}>
        <img src={src} alt={alt} />
        <form method="dialog" className="wp-row">
          <span className="wp-grow wp-muted">{note || alt}</span>
          <button className="wp-button wp-button-small">Close</button>
        </form>
      </dialog>
    </>
  );
}

/* Tells the server when a value has become another one, so that one state can follow another. */
export function Changed({ value, onOther }) {
  const before = useRef(value);
  useEffect(() => {
    if (before.current === value) return;
    before.current = value;
    onOther?.();
  }, [value]);
  return null;
}
