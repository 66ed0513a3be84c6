/* A draft outlives its page: kept in this tab until it is sent or dropped, and offered again. */
import { useEffect, useRef, useState } from "react";
import { differs } from "./flag_editor_draft.js";
import { changedWords } from "./flag_editor_merge.js";

const nameOf = (place) => `waypost-flag-draft:${place}`;
const read = (place) => JSON.parse(sessionStorage.getItem(nameOf(place)) ?? "null");

function clockOf(at) {
  const moment = new Date(at);
  const time = moment.toLocaleTimeString("en-GB", { timeStyle: "short" });
  const today = moment.toDateString() === new Date().toDateString();
  return today ? time : `${moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

/* Asks before the tab is closed, or another site opened, over changes that were not sent. */
function useWarning(dirty) {
  useEffect(() => {
    if (!dirty) return undefined;
    const ask = (event) => event.preventDefault();
    const rest = () => window.removeEventListener("beforeunload", ask);
    window.addEventListener("beforeunload", ask);
    window.addEventListener("wp:signed-out", rest);
    return () => {
      rest();
      window.removeEventListener("wp:signed-out", rest);
    };
  }, [dirty]);
}

/*
 * Keeps the draft of `place` as it changes, with what it began from. Answers what was kept when the
 * page opened, `{ spec, base, version, at }` or null, and how to be done with that.
 */
export function useKept(place, draft, start, may) {
  const [offer, setOffer] = useState(() => {
    const kept = may ? read(place) : null;
    return kept && differs(kept.spec, start.spec) ? kept : null;
  });
  const written = useRef(false);
  const dirty = differs(draft, start.spec);
  useWarning(dirty);
  useEffect(() => {
    if (dirty) {
      const before = read(place);
      const at = before && !differs(before.spec, draft) ? before.at : Date.now();
      sessionStorage.setItem(nameOf(place), JSON.stringify({ spec: draft, base: start.spec, version: start.version, at }));
    } else if (written.current) sessionStorage.removeItem(nameOf(place));
    written.current = dirty;
  }, [draft, start]);
  const drop = () => {
    sessionStorage.removeItem(nameOf(place));
    setOffer(null);
  };
  return [offer, () => setOffer(null), drop];
}

/* What was published since a version, a line each. */
export function Meanwhile({ since, versions }) {
  const newer = versions.filter(({ version }) => version > since);
  return (
    <ul className="wpf-diff">
      {newer.map(({ version, by, words }) => (
        <li key={version}><span className="wp-shape" data-tone="warning" aria-hidden="true" /><span><strong>v{version}</strong> {by}: {words}</span></li>
      ))}
    </ul>
  );
}

/* Changes that were kept: what they are about, what has been published since, go on or drop them. */
export function Offer({ kept, flag, versions, names, onGoOn, onDrop }) {
  const old = kept.version !== flag.version;
  return (
    <section className="wp-panel wpf-change" aria-label="Unsaved changes">
      <div className="wp-panel-head">
        <h2>Unsaved changes from {clockOf(kept.at)}</h2>
        <span className="wp-row">
          <button type="button" className="wp-button wp-button-small wp-button-main" onClick={onGoOn}>Go on</button>
          <button type="button" className="wp-button wp-button-small" onClick={onDrop}>Drop</button>
        </span>
      </div>
      <p className="wp-panel-body">You changed {changedWords(kept.base, kept.spec, names).join(", ")}.</p>
      {old && (
        <>
          <p className="wp-panel-body wp-warn">They began from version {kept.version}; version {flag.version} is in force by now. Nothing of yours is put on it before you say so.</p>
          <Meanwhile since={kept.version} versions={versions} />
        </>
      )}
    </section>
  );
}
