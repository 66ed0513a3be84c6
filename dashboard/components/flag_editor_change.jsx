/* A change before it is saved: what it does in words and JSON, whom it touches, and the ways to send it. */
import { useEffect, useState } from "react";
import { Meanwhile } from "./flag_editor_kept.jsx";

const count = (n) => Math.round(n).toLocaleString("en-GB");

export const told = (words) => (words.length > 1 ? `${words.length} changes` : words[0] ?? "nothing changes");

function Figure({ name, value, note }) {
  return <div className="wpf-figure"><span>{name}</span><strong>{value}</strong><span>{note}</span></div>;
}

/* Who has to agree, as a figure. */
export const needsOf = (preview, flag) => (preview.needs_approval
  ? { value: "1 approval", note: "by somebody else" }
  : { value: "no approval", note: flag.sensitive ? "" : "not a sensitive flag" });

export function Blast({ blast, needs }) {
  const most = blast.regions.reduce((sum, { changed }) => sum + changed, 0);
  const top = blast.regions[0];
  const about = (n, margin) => (margin ? `${count(n)} ± ${count(margin)}` : count(n));
  return (
    <>
      <div className="wpf-figures">
        <Figure name="Users who change" value={about(blast.users, blast.users_margin)} note={blast.sampled ? `estimate from ${count(blast.sampled)} contexts` : "no context was seen yet"} />
        <Figure name="Drivers who change" value={about(blast.drivers, blast.drivers_margin)} note={`${count(blast.changed)} of the sample in all`} />
        <Figure name={blast.losses ? "Some lose it" : "Nobody loses it"} value={count(blast.losses)} note={`${count(blast.gains)} of the sample gain it`} />
        <Figure name="Orders a day touched" value={count(blast.orders_a_day)} note={top ? `${top.name} ${Math.round((100 * top.changed) / Math.max(most, 1))} %` : "nowhere"} />
        <Figure name="Needs" value={needs.value} note={needs.note} />
      </div>
      {blast.regions.length > 0 && (
        <div className="wpf-regions" role="group" aria-label="Who changes, by region">
          {blast.regions.slice(0, 8).map((region) => [
            <span key={`${region.region}-name`}>{region.name}</span>,
            <span key={`${region.region}-bar`} className="wpf-bar" aria-hidden="true"><span style={{ width: `${(100 * region.changed) / Math.max(region.sampled, 1)}%` }} /></span>,
            <span key={`${region.region}-of`} className="wp-muted">{count(region.changed)} of {count(region.sampled)} sampled</span>,
          ])}
        </div>
      )}
    </>
  );
}

export function Send({ flag, preview, blocked, busy, later = true, discard = "Discard", onSave, onDiscard }) {
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(null);
  useEffect(() => setTyped(""), [flag.version]);
  const mayType = !preview.needs_confirmation || typed === flag.key;
  const ready = !blocked && !busy && mayType && reason.trim().length >= 3 && at !== "";
  const word = at !== null ? "Schedule" : preview.needs_approval ? "Ask for approval" : "Publish";
  const send = (event) => {
    event.preventDefault();
    if (ready) onSave({ reason: reason.trim(), confirm: typed, publish_at: at === null ? "" : new Date(at).toISOString() });
  };
  return (
    <form className="wpf-send" onSubmit={send}>
      <label className="wp-field"><span>Why</span>
        <input className="wp-input" name="reason" value={reason} onChange={(event) => setReason(event.target.value)} maxLength={500} autoComplete="off" placeholder="What this is for; the history keeps it" />
      </label>
      {preview.needs_confirmation && (
        <label className="wp-field"><span>{flag.environment === "production" ? "This is production: type" : "Type"} <code>{flag.key}</code></span>
          <input className="wp-input wp-mono" name="confirm" value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" spellCheck="false" />
        </label>
      )}
      {at !== null && (
        <label className="wp-field"><span>When, in your time</span>
          <input className="wp-input" type="datetime-local" name="publish_at" value={at} onChange={(event) => setAt(event.target.value)} />
        </label>
      )}
      <span className="wp-row">
        <button type="submit" className="wp-button wp-button-main" disabled={!ready}>{busy ? "Sending" : word}</button>
        {later && <button type="button" className="wp-button" aria-pressed={at !== null} onClick={() => setAt(at === null ? "" : null)}>{at === null ? "Schedule" : "Not later"}</button>}
        <button type="button" className="wp-button wp-button-quiet" onClick={onDiscard}>{discard}</button>
      </span>
    </form>
  );
}

function Conflict({ flag, start, versions, onCarryOver }) {
  return (
    <div role="alert">
      <p className="wp-panel-body wp-warn">
        {flag.changed_by} published version {flag.version} meanwhile; your changes began from version {start.version}.
        <button type="button" className="wp-button wp-button-small" onClick={onCarryOver}>Put mine on version {flag.version}</button>
      </p>
      <Meanwhile since={start.version} versions={versions} />
    </div>
  );
}

export function Change({ flag, preview, fresh, incomplete, start, versions, busy, onSave, onDiscard, onCarryOver }) {
  const old = start.version !== flag.version;
  const shown = fresh ? preview : { ...preview, fault: "" };
  const fault = incomplete || shown.fault;
  const headline = fault || old ? "" : fresh ? told(shown.words) : "looking whom it touches";
  return (
    <section className="wp-panel wpf-change" aria-label="Your change" aria-busy={!fresh && !incomplete && !old}>
      <div className="wp-panel-head">
        <h2>Your change, not saved</h2>
        <span className="wp-muted wp-clip" aria-live="polite">{headline}</span>
      </div>
      {old && <Conflict flag={flag} start={start} versions={versions} onCarryOver={onCarryOver} />}
      {start.both.length > 0 && <p className="wp-panel-body wp-warn" role="alert">You both changed {start.both.join(", ")}; yours stands here.</p>}
      {fault && <p className="wp-panel-body wp-form-fault" role="alert">{fault}</p>}
      {!fault && !old && shown.blast?.regions && (
        <>
          {shown.words.length > 1 && <ul className="wpf-diff">{shown.words.map((each) => <li key={each}><span className="wp-shape" data-tone="info" aria-hidden="true" /><span>{each}</span></li>)}</ul>}
          {shown.warnings.map((each) => <p key={each} className="wp-panel-body wp-warn">{each}</p>)}
          <Blast blast={shown.blast} needs={needsOf(shown, flag)} />
        </>
      )}
      <Send flag={flag} preview={shown} blocked={Boolean(fault) || !fresh || old} busy={busy} onSave={onSave} onDiscard={onDiscard} />
    </section>
  );
}
