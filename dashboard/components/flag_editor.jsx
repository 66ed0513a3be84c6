/* A flag's rules in words with its JSON beside them, edited as a draft that the browser keeps. */
import { useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { Change } from "./flag_editor_change.jsx";
import { countryState, differs, formerly, moved, newRule, toggledCountry, without, withRule } from "./flag_editor_draft.js";
import { Offer, useKept } from "./flag_editor_kept.jsx";
import { carriedOver } from "./flag_editor_merge.js";
import { Bar, RuleLine, Variant } from "./flag_editor_rule.jsx";
import { Settings } from "./flag_editor_settings.jsx";
import { linesBetween, percent } from "./flag_editor_words.js";

const QUIET_MS = 300;

function useMode() {
  const [query, setQuery] = useSearchParams();
  const [mode, setMode] = useState("words");
  // The page was drawn beforehand without an address.
  useEffect(() => setMode(query.get("view") === "json" ? "json" : "words"), [query]);
  const choose = (wanted) => setQuery((before) => {
    const next = new URLSearchParams(before);
    if (wanted === "json") next.set("view", "json");
    else next.delete("view");
    return next;
  }, { replace: true, preventScrollReset: true });
  const modes = (
    <span className="wpf-segmented" role="group" aria-label="Show the rules as">
      {[["words", "Words"], ["json", "JSON"]].map(([name, word]) => <button key={name} type="button" aria-pressed={mode === name} onClick={() => choose(name)}>{word}</button>)}
    </span>
  );
  return { mode, modes };
}

function Json({ before, after }) {
  const lines = useMemo(() => linesBetween(before, after), [before, after]);
  return (
    <pre className="wpf-code" tabIndex={0} role="region" aria-label="The definition as JSON">
      {lines.map(([kind, text], at) => (
        <span key={at} className={{ come: "wpf-come", gone: "wpf-gone" }[kind]}>{{ come: "+ ", gone: "- ", kept: "  " }[kind]}{text}</span>
      ))}
    </pre>
  );
}

const STATES = { on: ["good", "on"], off: ["off", "off"], partly: ["info", "partly"] };

function Countries({ spec, countries, may, onToggle }) {
  return (
    <div className="wpf-countries" role="group" aria-label="Countries">
      {countries.map(({ code, name }) => {
        const state = countryState(spec, code);
        const [tone, word] = STATES[state];
        return (
          <button key={code} type="button" className="wp-chip" disabled={!may} aria-pressed={state === "partly" ? "mixed" : state === "on"} title={may ? `Turn ${name} ${state === "on" ? "off" : "on"}` : undefined} onClick={() => onToggle(code)}>
            <span className="wp-shape" data-tone={tone} aria-hidden="true" />{name}<span className="wp-hidden-words"> {word}</span>
          </button>
        );
      })}
    </div>
  );
}

const incompleteOf = (spec) => {
  const bare = spec.rules.flatMap(({ conditions }) => conditions).find(({ attribute, values }) => !attribute || values.length === 0 || values[0] === "");
  return bare ? "A condition still has no value." : "";
};

/* Each place has an editor of its own, so that no draft is shown over another flag. */
export function FlagEditor({ place, ...props }) {
  return <Editor key={place} place={place} {...props} />;
}

function Editor({
  place, loaded, flag, base, notes = {}, definition = "", versions = [], regions = [], segments = [], flags = [], preview, busy = false, may: mayWrite = false, onDraft, onSave,
}) {
  const now = { spec: base, version: flag.version, loaded, both: [] };
  const [start, setStart] = useState(now);
  const [draft, setDraft] = useState(base);
  const [open, setOpen] = useState("");
  const serial = useRef(Date.now());
  const { mode, modes } = useMode();
  const dirty = differs(draft, start.spec);
  const [offer, accept, drop] = useKept(place, draft, start, mayWrite);
  // One draft at a time: the kept one first.
  const may = mayWrite && !offer;

  // What is loaded anew replaces what nobody has touched; a draft stays, and is told of.
  useEffect(() => {
    if (dirty && loaded.split("|")[0] === start.loaded.split("|")[0]) return;
    setStart(now);
    setDraft(base);
    setOpen((was) => (base.rules.some(({ id }) => id === was) ? was : ""));
  }, [loaded]);

  const incomplete = incompleteOf(draft);
  const old = start.version !== flag.version;
  useEffect(() => {
    serial.current += 1;
    if (!dirty || incomplete || old) return undefined;
    const timer = setTimeout(() => onDraft?.({ serial: serial.current, spec: draft, version_seen: start.version }), QUIET_MS);
    return () => clearTimeout(timer);
  }, [draft, start]);

  const places = useMemo(() => regions.filter(({ code }) => code !== "*"), [regions]);
  const names = useMemo(() => Object.fromEntries(places.map(({ code, name }) => [code, name])), [places]);
  const lists = { regions: places, segments };
  const discard = () => {
    setStart(now);
    setDraft(base);
    setOpen("");
  };
  const goOn = () => {
    setStart({ spec: offer.base, version: offer.version, loaded, both: [] });
    setDraft(offer.spec);
    accept();
  };
  const carryOver = () => {
    const { spec, both } = carriedOver(start.spec, draft, base, names);
    setStart({ ...now, both });
    setDraft(spec);
  };
  const add = () => {
    const rule = newRule(draft);
    setDraft({ ...draft, rules: [...draft.rules, rule] });
    setOpen(rule.id);
  };
  const fresh = dirty && preview.serial === String(serial.current);
  const known = Object.keys(draft.variants);
  const ways = (
    <ol className="wpf-rules">
      {draft.targeting && <li className="wpf-rule wpf-foot">These rules came as JsonLogic that cannot be said in words; the JSON shows them.</li>}
      {draft.rules.map((rule, at) => {
        const former = formerly(start.spec, rule);
        return (
          <RuleLine
            key={rule.id} rule={rule} spec={draft} names={names} lists={lists} may={may} note={notes[rule.id]} open={open === rule.id}
            former={former && !differs(former, rule) ? undefined : former} first={at === 0} last={at === draft.rules.length - 1}
            onOpen={() => setOpen(open === rule.id ? "" : rule.id)} onChange={(change) => setDraft(withRule(draft, rule.id, change))}
            onMove={(by) => setDraft(moved(draft, rule.id, by))} onRemove={() => setDraft(without(draft, rule.id))}
          />
        );
      })}
      <li className="wpf-rule" data-changed={draft.default_variant !== start.spec.default_variant || undefined}>
        <div className="wpf-line">
          <button type="button" disabled={!may} onClick={() => setOpen(open === "else" ? "" : "else")} aria-expanded={open === "else"}>{draft.rules.length ? "Everyone else" : "Everyone"}</button>
          <Variant spec={draft} name={draft.default_variant} />
          <Bar share={draft.default_variant === draft.off_variant || draft.default_variant === null ? 0 : 100_000} />
          <span className="wp-right">{percent(draft.default_variant === draft.off_variant || draft.default_variant === null ? 0 : 100_000)}</span>
        </div>
        {open === "else" && (
          <div className="wpf-form"><div className="wpf-serve">
            <span className="wp-muted">Serve</span>
            <select className="wp-input" aria-label="Variant for everyone else" value={draft.default_variant ?? ""} onChange={(event) => setDraft({ ...draft, default_variant: event.target.value || null })}>
              {known.map((name) => <option key={name} value={name}>{name}</option>)}
              <option value="">what the program has</option>
            </select>
          </div></div>
        )}
      </li>
    </ol>
  );
  return (
    <>
      {offer && <Offer kept={offer} flag={flag} versions={versions} names={names} onGoOn={goOn} onDrop={drop} />}
      <section className="wp-panel" aria-label="Rules">
        <div className="wp-panel-head">
          <h2>Rules, first match wins</h2>
          <span className="wp-row">
            {may && (
              <label className="wp-check wpf-switch"><input type="checkbox" role="switch" checked={draft.on} onChange={(event) => setDraft({ ...draft, on: event.target.checked })} />{draft.on ? "On" : `Off: everyone gets ${draft.off_variant}`}</label>
            )}
            {modes}
          </span>
        </div>
        {mode === "json"
          ? <div className="wpf-json">{ways}<Json before={definition} after={fresh && preview.definition ? preview.definition : definition} /></div>
          : ways}
        <Countries spec={draft} countries={places.filter(({ depth }) => depth === "0")} may={may && !draft.targeting} onToggle={(code) => setDraft(toggledCountry(draft, code))} />
        {may && !draft.targeting && <div className="wpf-foot"><button type="button" className="wp-button wp-button-small" onClick={add}>Add a rule</button><span className="wp-muted">Whoever a share leaves out gets {draft.default_variant ?? "what the program has"}.</span></div>}
      </section>
      {dirty && (
        <Change
          flag={flag} preview={preview} fresh={fresh} incomplete={incomplete} start={start} versions={versions} busy={busy} onDiscard={discard} onCarryOver={carryOver}
          onSave={(sent) => onSave?.({ ...sent, spec: draft, version_seen: start.version })}
        />
      )}
      <Settings key={start.loaded} spec={draft} flags={flags} may={may} onChange={(change) => setDraft({ ...draft, ...change })} />
    </>
  );
}
