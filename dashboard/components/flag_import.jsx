/* Flags from a flagd document: a file or pasted text, published together or not at all. */
import { useRef, useState } from "react";

const SHOWN = 12;

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", accept: "application/json", "idempotency-key": crypto.randomUUID() },
  });
  const found = await answer.json().catch(() => ({}));
  if (answer.ok) return found;
  const faults = (found.errors ?? []).map(({ pointer, detail }) => `${pointer.replace(/^\/document\//, "")}: ${detail}`);
  throw Object.assign(new Error(found.detail || `The server answered ${answer.status}.`), { faults });
}

const toldOf = ({ status, created, changed, unchanged }) => {
  const sums = [`${created.length} new`, `${changed.length} changed`, `${unchanged} as before`].join(", ");
  return status === "waiting" ? `${sums}. A second person has to approve it.` : `${sums}.`;
};

export function FlagImport({ path, environment = "staging", onDone }) {
  const input = useRef(null);
  const [text, setText] = useState("");
  const [name, setName] = useState("");
  const [into, setInto] = useState(environment);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [faults, setFaults] = useState([]);
  const [told, setTold] = useState("");
  const take = async (file) => {
    if (!file) return;
    setName(file.name);
    setText(await file.text());
  };
  const send = async (event) => {
    event.preventDefault();
    setFaults([]);
    setTold("");
    let document;
    try {
      document = JSON.parse(text);
    } catch (error) {
      setFaults([`This is no JSON: ${error.message}`]);
      return;
    }
    setBusy(true);
    try {
      setTold(toldOf(await post(path, { environment: into, document, reason: reason.trim(), confirm: typed })));
      onDone?.();
    } catch (error) {
      setFaults(error.faults?.length ? error.faults : [error.message]);
    } finally {
      setBusy(false);
    }
  };
  const ready = text.trim() && reason.trim().length >= 3 && (into !== "production" || typed === into) && !busy;
  return (
    <form className="wp-drawer-form" onSubmit={send} onDragOver={(event) => event.preventDefault()} onDrop={(event) => { event.preventDefault(); take(event.dataTransfer.files[0]); }}>
      <p className="wp-muted">A flagd document, as Export gives it. All of it is published together, or nothing where anything is wrong.</p>
      <div className="wp-row">
        <input ref={input} type="file" accept=".json,application/json" hidden onChange={(event) => take(event.target.files[0])} />
        <button type="button" className="wp-button wp-button-small" onClick={() => input.current.click()}>Choose a file</button>
        <span className="wp-muted wp-clip">{name || "or drop it here, or paste below"}</span>
      </div>
      <label className="wp-field"><span>Document</span>
        <textarea className="wp-input wp-textarea wp-mono" name="document" rows={12} spellCheck="false" value={text.length > 200_000 ? `${text.slice(0, 2_000)}\n…` : text} readOnly={text.length > 200_000} placeholder={'{"flags": {"wallet-topup": {"state": "ENABLED"}}}'} onChange={(event) => setText(event.target.value)} />
      </label>
      <label className="wp-field"><span>Into</span>
        <select className="wp-input" value={into} onChange={(event) => setInto(event.target.value)}><option>production</option><option>staging</option></select>
      </label>
      <label className="wp-field"><span>Why</span>
        <input className="wp-input" name="reason" value={reason} maxLength={500} autoComplete="off" onChange={(event) => setReason(event.target.value)} />
      </label>
      {into === "production" && (
        <label className="wp-field"><span>Type <code>production</code></span>
          <input className="wp-input wp-mono" name="confirm" value={typed} autoComplete="off" spellCheck="false" onChange={(event) => setTyped(event.target.value)} />
        </label>
      )}
      {faults.length > 0 && (
        <ul className="wp-form-fault wpf-faults" role="alert">
          {faults.slice(0, SHOWN).map((each) => <li key={each}>{each}</li>)}
          {faults.length > SHOWN && <li>and {faults.length - SHOWN} more</li>}
        </ul>
      )}
      <p role="status">{told}</p>
      <div className="wp-form-end"><button type="submit" className="wp-button wp-button-main" disabled={!ready}>{busy ? "Importing" : "Import"}</button></div>
    </form>
  );
}
