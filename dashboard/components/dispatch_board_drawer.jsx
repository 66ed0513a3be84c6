/* What came of a deed: one line for one order; a drawer with each result when some of many failed. */
import { useEffect, useState } from "react";

const SHOWN_MS = 8000;

export function Outcome({ outcome, onRetry, onUndo, onShow }) {
  const [seen, setSeen] = useState(0);
  const failed = outcome.items.filter((item) => !item.ok);
  const many = outcome.items.length > 1;
  const open = outcome.serial > seen;
  useEffect(() => {
    if (!open || failed.length) return undefined;
    const timer = setTimeout(() => setSeen(outcome.serial), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome.serial, open]);
  const close = () => setSeen(outcome.serial);
  return (
    <div className="wpb-outcome-box" role="status" aria-live="polite">
      {open && outcome.items.length > 0 && (many && failed.length
        ? <Drawer outcome={outcome} failed={failed} onClose={close} onRetry={onRetry} onShow={onShow} />
        : <Line outcome={outcome} failed={failed} onClose={close} onUndo={onUndo} />)}
    </div>
  );
}

function Line({ outcome, failed, onClose, onUndo }) {
  const one = outcome.items[0];
  const words = outcome.items.length > 1 ? `${outcome.items.length} orders ${outcome.done}` : failed.length ? one.words : `${one.number} ${outcome.done}`;
  return (
    <div className="wpb-outcome">
      <span className="wp-shape" data-tone={failed.length ? "critical" : "good"} aria-hidden="true" /><span className="wp-grow">{words}</span>
      {!failed.length && outcome.verb === "assign" && (
        <button type="button" className="wp-button wp-button-small" onClick={() => { onClose(); onUndo(outcome.items.map((item) => item.id)); }}>Undo</button>
      )}
      <Close onClick={onClose} />
    </div>
  );
}

function Drawer({ outcome, failed, onClose, onRetry, onShow }) {
  const good = outcome.items.length - failed.length;
  return (
    <section className="wpb-drawer" aria-label="Results">
      <header>
        <h2>{good} of {outcome.items.length} {outcome.done}</h2>
        <span className="wp-state"><span className="wp-shape" data-tone="critical" aria-hidden="true" />{failed.length} failed</span>
        <Close onClick={onClose} />
      </header>
      <ul>
        {[...failed, ...outcome.items.filter((item) => item.ok)].map((item) => (
          <li key={item.id} data-ok={item.ok ? "" : undefined}>
            <span className="wp-shape" data-tone={item.ok ? "good" : "critical"} aria-hidden="true" />
            <button type="button" className="wpb-number" onClick={() => onShow(item.id)}>{item.number}</button>
            <span>{item.ok ? outcome.done : item.words}</span>
          </li>
        ))}
      </ul>
      <footer>
        <button type="button" className="wp-button wp-button-small wp-button-main" onClick={() => { onClose(); onRetry(outcome, failed.map((item) => item.id)); }}>
          Retry {failed.length === 1 ? "the one" : `those ${failed.length}`}
        </button>
        <button type="button" className="wp-button wp-button-small" onClick={onClose}>Close</button>
      </footer>
    </section>
  );
}

function Close({ onClick }) {
  return (
    <button type="button" className="wp-icon-button" aria-label="Dismiss" onClick={onClick}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" /></svg>
    </button>
  );
}
