/* What a flag is beside its rules: variants, owner, expiry, prerequisites, and whether it is sensitive. */
import { useState } from "react";

const KINDS = ["release", "operational", "experiment", "permission", "route"];

const Cross = () => (
  <svg viewBox="0 0 16 16" width="10" height="10" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" /></svg>
);

function Value({ name, value, disabled, onChange }) {
  const [text, setText] = useState(JSON.stringify(value));
  const read = (typed) => {
    setText(typed);
    try {
      onChange(JSON.parse(typed));
    } catch {
      /* Not yet JSON: kept as typed until it is. */
    }
  };
  let wrong = false;
  try {
    wrong = JSON.stringify(JSON.parse(text)) !== JSON.stringify(value);
  } catch {
    wrong = true;
  }
  return <input className="wp-input wp-mono" aria-label={`Value of ${name}`} aria-invalid={wrong} value={text} disabled={disabled} onChange={(event) => read(event.target.value)} spellCheck="false" />;
}

function Variants({ spec, may, onChange }) {
  const names = Object.keys(spec.variants);
  const [name, setName] = useState("");
  const used = new Set([spec.off_variant, spec.default_variant, ...spec.rules.flatMap(({ serve }) => serve.map(({ variant }) => variant))]);
  const add = () => {
    const fresh = name.trim();
    if (!fresh || names.includes(fresh)) return;
    onChange({ variants: { ...spec.variants, [fresh]: Object.values(spec.variants)[0] } });
    setName("");
  };
  return (
    <fieldset className="wp-fieldset wpf-variants">
      <legend className="wp-label">Variants and their values</legend>
      {names.map((each) => (
        <div key={each} className="wp-row">
          <code className="wpf-variant-name">{each}</code>
          <Value name={each} value={spec.variants[each]} disabled={!may} onChange={(value) => onChange({ variants: { ...spec.variants, [each]: value } })} />
          {may && <button type="button" className="wp-icon-button" disabled={used.has(each)} title={used.has(each) ? "Still served" : "Remove"} aria-label={`Remove the variant ${each}`} onClick={() => onChange({ variants: Object.fromEntries(Object.entries(spec.variants).filter(([other]) => other !== each)) })}><Cross /></button>}
        </div>
      ))}
      {may && (
        <div className="wp-row">
          <input className="wp-input wp-mono" aria-label="Name of a new variant" placeholder="another variant" value={name} onChange={(event) => setName(event.target.value)} onKeyDown={(event) => event.key === "Enter" && add()} />
          <button type="button" className="wp-button wp-button-small" onClick={add} disabled={!name.trim()}>Add</button>
        </div>
      )}
    </fieldset>
  );
}

function Prerequisites({ spec, flags, may, onChange }) {
  const put = (prerequisites) => onChange({ prerequisites });
  const others = flags.filter(({ key }) => key !== spec.key && !spec.prerequisites.some((each) => each.key === key));
  const variantsOf = (key) => flags.find((each) => each.key === key)?.variants ?? [];
  return (
    <fieldset className="wp-fieldset">
      <legend className="wp-label">Prerequisites: else everyone gets {spec.off_variant}</legend>
      <div className="wpf-conds">
        {spec.prerequisites.map((each) => (
          <span key={each.key} className="wpf-cond">
            <a className="wpf-name wp-link" href={`/flags/${each.key}`}>{each.key}</a>
            <span className="wp-muted">serves</span>
            <select aria-label={`Variant of ${each.key}`} disabled={!may} value={each.variant} onChange={(event) => put(spec.prerequisites.map((one) => (one.key === each.key ? { ...one, variant: event.target.value } : one)))}>
              {[...new Set([...variantsOf(each.key), each.variant])].map((name) => <option key={name} value={name}>{name}</option>)}
            </select>
            {may && <button type="button" className="wp-icon-button" aria-label={`Needs ${each.key} no more`} onClick={() => put(spec.prerequisites.filter(({ key }) => key !== each.key))}><Cross /></button>}
          </span>
        ))}
        {may && (
          <select className="wp-chip wpf-add" aria-label="Add a prerequisite" value="" onChange={(event) => put([...spec.prerequisites, { key: event.target.value, variant: variantsOf(event.target.value)[0] ?? "on" }])}>
            <option value="">+ prerequisite</option>
            {others.map(({ key }) => <option key={key} value={key}>{key}</option>)}
          </select>
        )}
        {!may && !spec.prerequisites.length && <span className="wp-muted">none</span>}
      </div>
    </fieldset>
  );
}

export function Settings({ spec, flags, may, onChange }) {
  const text = (field, word, props = {}) => (
    <label className="wp-field"><span>{word}</span>
      <input className="wp-input" name={`spec-${field}`} value={spec[field] ?? ""} disabled={!may} autoComplete="off" onChange={(event) => onChange({ [field]: event.target.value })} {...props} />
    </label>
  );
  const choice = (field, word, names, none) => (
    <label className="wp-field"><span>{word}</span>
      <select className="wp-input" value={spec[field] ?? ""} disabled={!may} onChange={(event) => onChange({ [field]: event.target.value || null })}>
        {none && <option value="">{none}</option>}
        {names.map((name) => <option key={name} value={name}>{name}</option>)}
      </select>
    </label>
  );
  const names = Object.keys(spec.variants);
  return (
    <details className="wp-panel wpf-settings">
      <summary className="wp-panel-head"><h2>Variants and settings</h2><span className="wp-muted wp-clip">{names.join(", ")}{spec.sensitive ? " · sensitive" : ""}{spec.prerequisites.length ? ` · needs ${spec.prerequisites.map(({ key }) => key).join(", ")}` : ""}</span></summary>
      <div className="wpf-settings-body">
        <Variants spec={spec} may={may} onChange={onChange} />
        <div className="wp-form">
          {choice("off_variant", "When off or killed", names)}
          {choice("kind", "Kind", KINDS)}
          {text("owner", "Owner")}
          <label className="wp-field"><span>Expires (UTC)</span>
            <input className="wp-input" type="date" disabled={!may} value={(spec.expires_at ?? "").slice(0, 10)} onChange={(event) => onChange({ expires_at: event.target.value ? `${event.target.value}T00:00:00Z` : null })} />
          </label>
        </div>
        {text("description", "What it does", { maxLength: 500 })}
        <Prerequisites spec={spec} flags={flags} may={may} onChange={onChange} />
        <label className="wp-check"><input type="checkbox" checked={spec.sensitive} disabled={!may} onChange={(event) => onChange({ sensitive: event.target.checked })} />Sensitive: a second person approves what changes in production</label>
      </div>
    </details>
  );
}
