/* One rule of a flag: its line in words, and the form that opens beneath it. */
import { useState } from "react";
import { ATTRIBUTES, CHOICES, operatorsOf, percent, takesMany, whoOf } from "./flag_editor_words.js";

const Cross = () => (
  <svg viewBox="0 0 16 16" width="10" height="10" aria-hidden="true"><path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" /></svg>
);
const Arrow = ({ down }) => (
  <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" fill="none" stroke="currentColor" strokeWidth="1.5" style={down ? { rotate: "180deg" } : undefined}>
    <path d="M8 13V3M4 7l4-4 4 4" />
  </svg>
);

export function Variant({ spec, name }) {
  const off = name === spec.off_variant;
  return <span className="wpf-variant"><span className="wp-shape" data-tone={off ? "off" : "good"} aria-hidden="true" /><span className="wp-clip">{name ?? "the program's own"}</span></span>;
}

export function Bar({ share }) {
  return <span className="wpf-bar" aria-hidden="true"><span style={{ width: `${share / 1000}%` }} /></span>;
}

function Values({ condition, lists, label, onChange }) {
  const [text, setText] = useState("");
  const { attribute, operator, values } = condition;
  const many = takesMany(operator);
  const known = attribute === "region" ? lists.regions : attribute === "segment" ? lists.segments : (CHOICES[attribute] ?? []).map((code) => ({ code, name: code.replaceAll("_", " ") }));
  const nameOf = (value) => known.find(({ code }) => code === value)?.name ?? String(value);
  const add = (typed) => {
    const found = known.find(({ code, name }) => [code.toLowerCase(), name.toLowerCase()].includes(typed.trim().toLowerCase()));
    const value = found?.code ?? typed.trim();
    setText("");
    if (value && !values.includes(value)) onChange([...values, value]);
  };
  if (!many) {
    return (
      <input
        aria-label={label} value={values[0] ?? ""} size={8} autoComplete="off" placeholder={operator.startsWith("version") ? "5.2.0" : "value"}
        onChange={(event) => onChange([operator.startsWith("version") || event.target.value === "" || Number.isNaN(Number(event.target.value)) ? event.target.value : Number(event.target.value)])}
      />
    );
  }
  const list = `wpf-known-${attribute}`;
  return (
    <>
      {values.map((value) => (
        <span key={value} className="wpf-token">
          {nameOf(value)}
          <button type="button" className="wp-icon-button" aria-label={`Remove ${nameOf(value)}`} onClick={() => onChange(values.filter((each) => each !== value))}><Cross /></button>
        </span>
      ))}
      {known.length && known.length < 12 ? (
        <select aria-label={label} value="" onChange={(event) => add(event.target.value)}>
          <option value="">{values.length ? "or" : "choose"}</option>
          {known.filter(({ code }) => !values.includes(code)).map(({ code, name }) => <option key={code} value={code}>{name}</option>)}
        </select>
      ) : (
        <input
          aria-label={label} value={text} size={values.length ? 7 : 14} autoComplete="off" placeholder={values.length ? "or" : "type to choose"} list={list}
          onChange={(event) => (known.some(({ name }) => name === event.target.value) ? add(event.target.value) : setText(event.target.value))}
          onBlur={() => text && add(text)}
          onKeyDown={(event) => {
            if (event.key === "Enter" || event.key === ",") {
              event.preventDefault();
              add(text);
            } else if (event.key === "Backspace" && !text && values.length) onChange(values.slice(0, -1));
          }}
        />
      )}
      {known.length >= 12 && <datalist id={list}>{known.map(({ code, name }) => <option key={code} value={name}>{code}</option>)}</datalist>}
    </>
  );
}

export function Conditions({ conditions, lists, without = "", onChange }) {
  const put = (at, change) => onChange(conditions.map((each, index) => (index === at ? { ...each, ...change } : each)));
  const add = (attribute) => onChange([...conditions, { attribute, operator: operatorsOf(attribute)[0][0], values: [] }]);
  return (
    <div className="wpf-conds" role="group" aria-label="Who">
      {conditions.map((condition, at) => {
        const word = ATTRIBUTES.find(([name]) => name === condition.attribute)?.[1] ?? (condition.attribute || "the attribute");
        return (
          <span key={at} className="wpf-cond">
            {ATTRIBUTES.some(([name]) => name === condition.attribute)
              ? <span className="wpf-name">{word}</span>
              : <input aria-label="Attribute of the context" placeholder="attribute" size={10} value={condition.attribute} autoFocus={!condition.attribute} onChange={(event) => put(at, { attribute: event.target.value.trim() })} />}
            <select
              aria-label={`How ${word} compares`} value={condition.operator}
              onChange={(event) => put(at, { operator: event.target.value, values: takesMany(event.target.value) ? condition.values : condition.values.slice(0, 1) })}
            >
              {operatorsOf(condition.attribute).map(([operator, said]) => <option key={operator} value={operator}>{said}</option>)}
            </select>
            <Values condition={condition} lists={lists} label={`${word} values`} onChange={(values) => put(at, { values })} />
            <button type="button" className="wp-icon-button" aria-label={`Remove the condition on ${word}`} onClick={() => onChange(conditions.filter((_, index) => index !== at))}><Cross /></button>
          </span>
        );
      })}
      <select
        className="wp-chip wpf-add" aria-label="Add a condition" value=""
        onChange={(event) => add(event.target.value === "other" ? "" : event.target.value)}
      >
        <option value="">+ condition</option>
        {ATTRIBUTES.filter(([name]) => name !== without).map(([name, said]) => <option key={name} value={name}>{said}</option>)}
        <option value="other">Another attribute</option>
      </select>
    </div>
  );
}

function Serve({ rule, spec, onChange }) {
  const names = Object.keys(spec.variants);
  const put = (at, change) => onChange({ serve: rule.serve.map((each, index) => (index === at ? { ...each, ...change } : each)) });
  const left = 100_000 - rule.serve.reduce((sum, { share }) => sum + share, 0);
  const unused = names.find((name) => !rule.serve.some(({ variant }) => variant === name));
  return (
    <>
      {rule.serve.map((each, at) => (
        <div key={at} className="wpf-serve">
          <span className="wp-muted">{at ? "and" : "Serve"}</span>
          <select className="wp-input" aria-label="Variant" value={each.variant} onChange={(event) => put(at, { variant: event.target.value })}>
            {names.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
          <span className="wp-muted">to</span>
          <input type="range" min="0" max="100" step="1" aria-label={`Share of ${each.variant}, coarse`} value={each.share / 1000} onChange={(event) => put(at, { share: Math.round(Number(event.target.value) * 1000) })} />
          <input
            type="number" className="wp-input" min="0" max="100" step="0.001" aria-label={`Share of ${each.variant} in percent`} value={each.share / 1000}
            onChange={(event) => put(at, { share: Math.max(0, Math.min(100_000, Math.round(Number(event.target.value) * 1000))) })}
          />
          <span className="wp-muted">%</span>
          {at > 0 && <button type="button" className="wp-icon-button" aria-label={`Serve ${each.variant} no more`} onClick={() => onChange({ serve: rule.serve.filter((_, index) => index !== at) })}><Cross /></button>}
        </div>
      ))}
      <div className="wpf-serve">
        <span className="wp-muted">of, each by their own</span>
        <select className="wp-input" aria-label="Shares go by" value={rule.by} onChange={(event) => onChange({ by: event.target.value })}>
          {[...new Set(["targetingKey", "country", "city", "hub", "app_version", rule.by])].map((name) => <option key={name} value={name}>{name === "targetingKey" ? "person" : name.replaceAll("_", " ")}</option>)}
        </select>
        {left < 0
          ? <span className="wp-form-fault">The shares exceed 100 % by {percent(-left)}</span>
          : left > 0 && <span className="wp-muted">The other {percent(left)} get {spec.default_variant ?? "what the program has"}</span>}
        {unused && names.length > 2 && <button type="button" className="wp-chip wpf-add" onClick={() => onChange({ serve: [...rule.serve, { variant: unused, share: Math.max(0, left) }] })}>+ variant</button>}
      </div>
    </>
  );
}

/* `former` is the rule before the draft: undefined where it did not change, null where it is new. */
export function RuleLine({ rule, spec, former, note, names, lists, open, may, first, last, onOpen, onChange, onMove, onRemove }) {
  const who = whoOf(rule, names);
  const share = rule.serve[0].share;
  const was = former && former.serve[0].share !== share ? percent(former.serve[0].share) : "";
  return (
    <li className="wpf-rule" data-open={open || undefined} data-changed={former === undefined ? undefined : true}>
      <div className="wpf-line">
        <button type="button" disabled={!may} onClick={onOpen} aria-expanded={open} title={who}>{who}</button>
        <Variant spec={spec} name={rule.serve[0].variant} />
        <Bar share={share} />
        <span className="wp-right wp-nowrap">{was && <s className="wpf-was">{was}</s>} {percent(share)}</span>
        <span className="wpf-note wp-muted" title={note}>{note}</span>
        <span className="wpf-line-acts">
          {may && (
            <>
              <button type="button" className="wp-icon-button" aria-label={`Earlier: ${who}`} disabled={first} onClick={() => onMove(-1)}><Arrow /></button>
              <button type="button" className="wp-icon-button" aria-label={`Later: ${who}`} disabled={last} onClick={() => onMove(1)}><Arrow down /></button>
              <button type="button" className="wp-icon-button" aria-label={`Remove: ${who}`} onClick={onRemove}><Cross /></button>
            </>
          )}
        </span>
      </div>
      {open && (
        <div className="wpf-form">
          <Conditions conditions={rule.conditions} lists={lists} onChange={(conditions) => onChange({ conditions })} />
          <Serve rule={rule} spec={spec} onChange={onChange} />
        </div>
      )}
    </li>
  );
}
