/* A segment's conditions as a form: who belongs to it. */
import { useEffect, useState } from "react";
import { Conditions } from "./flag_editor_rule.jsx";
import { whoOf } from "./flag_editor_words.js";

const EMPTY = { name: "", description: "", conditions: [] };

export function SegmentEditor({ loaded, segment = EMPTY, version = 0, environment = "production", used = [], regions = [], fault = "", busy = false, onSave }) {
  const [draft, setDraft] = useState(segment);
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  useEffect(() => {
    setDraft(segment);
    setReason("");
    setTyped("");
  }, [loaded]);
  const places = regions.filter(({ code }) => code !== "*");
  const names = Object.fromEntries(places.map(({ code, name }) => [code, name]));
  const typing = environment === "production";
  const whole = draft.conditions.every(({ attribute, values }) => attribute && values.length && values[0] !== "");
  const ready = draft.name && whole && reason.trim().length >= 3 && (!typing || typed === draft.name) && !busy;
  const send = (event) => {
    event.preventDefault();
    if (ready) onSave?.({ segment: draft, version_seen: version, reason: reason.trim(), confirm: typed });
  };
  return (
    <form className="wp-drawer-form wpf-segment" onSubmit={send}>
      {!version && (
        <label className="wp-field"><span>Name</span>
          <input className="wp-input wp-mono" name="name" value={draft.name} required pattern="[a-z0-9][a-z0-9_\-]*" maxLength={40} placeholder="prepaid" autoComplete="off" onChange={(event) => setDraft({ ...draft, name: event.target.value })} />
        </label>
      )}
      <label className="wp-field"><span>Who they are</span>
        <input className="wp-input" name="description" value={draft.description} maxLength={500} autoComplete="off" placeholder="Customers who pay before delivery" onChange={(event) => setDraft({ ...draft, description: event.target.value })} />
      </label>
      <div>
        <span className="wp-label">All of these hold</span>
        {draft.logic ? <p>It came as JsonLogic that cannot be said in words; import it again to change who belongs to it.</p> : <Conditions conditions={draft.conditions} lists={{ regions: places, segments: [] }} without="segment" onChange={(conditions) => setDraft({ ...draft, conditions })} />}
        <p className="wp-muted">{draft.logic ? "" : draft.conditions.length ? whoOf(draft, names) : "No condition: those whose phone or service names the segment itself."}</p>
      </div>
      {used.length > 0 && <p className="wp-warn">Changes what {used.length === 1 ? used[0] : `${used.length} flags`} serve{used.length === 1 ? "s" : ""}: {used.join(", ")}</p>}
      <label className="wp-field"><span>Why</span>
        <input className="wp-input" name="reason" value={reason} maxLength={500} autoComplete="off" onChange={(event) => setReason(event.target.value)} />
      </label>
      {typing && (
        <label className="wp-field"><span>This is production: type <code>{draft.name || "its name"}</code></span>
          <input className="wp-input wp-mono" name="confirm" value={typed} autoComplete="off" spellCheck="false" onChange={(event) => setTyped(event.target.value)} />
        </label>
      )}
      {fault && <p className="wp-form-fault" role="alert">{fault}</p>}
      <div className="wp-form-end"><button type="submit" className="wp-button wp-button-main" disabled={!ready}>{version ? "Publish" : "Make the segment"}</button></div>
    </form>
  );
}
