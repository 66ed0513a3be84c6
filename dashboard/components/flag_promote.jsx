/* What promoting a flag from staging to production would do there, and the form that does it. */
import { Blast, needsOf, Send, told } from "./flag_editor_change.jsx";

export function FlagPromotion({ shown, flag, staging = 0, production = 0, preview, fault = "", busy = false, onSend, onClose }) {
  const there = { key: flag.key, version: production, environment: "production" };
  // What is shown may still be of the flag before this one.
  const ready = shown.startsWith(`${flag.key}#`);
  const nothing = ready && preview.words.length === 0;
  const headline = ready ? (nothing ? "no rule differs" : told(preview.words)) : fault ? "" : "looking what differs";
  return (
    <section className="wp-panel wpf-change" aria-label="Promotion" aria-busy={!ready && !fault}>
      <div className="wp-panel-head">
        <h2>To production{production > 0 && `, over version ${production} there`}</h2>
        <span className="wp-muted wp-clip" aria-live="polite">{headline}</span>
      </div>
      {fault && <p className="wp-panel-body wp-form-fault" role="alert">{fault}</p>}
      {nothing && <p className="wp-panel-body wp-muted">Production serves what version {staging} serves here.</p>}
      {ready && !nothing && (
        <>
          <p className="wp-panel-body wp-muted">Variants, rules and prerequisites of version {staging} go along. {production > 0 ? "Production keeps its switch, owner, date and who approves." : "Production has no such flag yet, so all of it goes."}</p>
          {preview.words.length > 1 && <ul className="wpf-diff">{preview.words.map((each) => <li key={each}><span className="wp-shape" data-tone="info" aria-hidden="true" /><span>{each}</span></li>)}</ul>}
          {preview.warnings.map((each) => <p key={each} className="wp-panel-body wp-warn">{each}</p>)}
          <Blast blast={preview.blast} needs={needsOf(preview, there)} />
          <Send key={shown} flag={there} preview={preview} blocked={false} busy={busy} later={false} discard="Not now" onSave={onSend} onDiscard={onClose} />
        </>
      )}
      {(nothing || !ready) && <div className="wpf-foot"><button type="button" className="wp-button wp-button-small" onClick={onClose}>Close</button></div>}
    </section>
  );
}
