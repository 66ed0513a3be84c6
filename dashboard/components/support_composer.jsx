/*
 * Where an agent writes. What is written stays: in this browser at once, with the server a moment
 * later, until it is sent. When somebody else has spoken meanwhile it says so before sending.
 */
import { useEffect, useRef, useState } from "react";
import { Macros } from "./support_macros.jsx";

const SAVE_AFTER_MS = 700;
const TYPING_EVERY_MS = 4000;
const WAYS = [
  { then: "pending customer", word: "Send and wait", hint: "Pending on the customer: the clock of the solution pauses" },
  { then: "", word: "Send", hint: "The ticket stays as it is" },
  { then: "pending third_party", word: "Send, others act", hint: "Pending on a third party: the clocks run on" },
  { then: "solved", word: "Send and solve", hint: "Solved; the customer's next word opens it again" },
];

/* What a message to a customer and a note hold, in characters as the server counts them. */
const MOST = { reply: 2000, note: 4000 };
const lengthOf = (text) => [...text.trim()].length;

const kept = (key) => JSON.parse(localStorage.getItem(key) ?? "null");
/* Names an answer, so that sending it twice is sending it once. */
const fresh = () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;

export function Composer({
  ticket, draft = "", draftAt = "", outdated = false, known = false, sent = 0, version = 0, last = "", lastBy = "", macros = [],
  mayReply = false, mayNote = false, working = false, fault = "", onSend, onDraft, onTyping,
}) {
  const box = useRef(null);
  const saving = useRef(0);
  const unsaved = useRef(null);
  const typed = useRef(0);
  const began = useRef(null);
  const counted = useRef(sent);
  const [mode, setMode] = useState(mayReply ? "reply" : "note");
  const [length, setLength] = useState(0);
  const [stale, setStale] = useState(false);
  const [picking, setPicking] = useState(false);
  const [wanted, setWanted] = useState(WAYS[0].then);
  const key = `waypost-reply:${ticket}`;
  const over = length - MOST[mode];
  const unready = working || stale || length === 0 || over > 0;

  const show = (text) => {
    box.current.value = text;
    setLength(lengthOf(text));
  };

  const save = () => {
    clearTimeout(saving.current);
    unsaved.current?.();
    unsaved.current = null;
  };
  const saveLater = (text) => {
    clearTimeout(saving.current);
    const to = ticket;
    const answersTo = began.current.version;
    unsaved.current = () => onDraft?.(to, text, answersTo);
    saving.current = setTimeout(save, SAVE_AFTER_MS);
  };
  // Whoever leaves for another ticket while it is still to be kept has it kept for this one.
  useEffect(() => save, [key]);

  useEffect(() => {
    if (!known) return;
    if (counted.current !== sent) {
      counted.current = sent;
      clearTimeout(saving.current);
      unsaved.current = null;
      localStorage.removeItem(key);
      began.current = null;
      setStale(false);
      setWanted(WAYS[0].then);
      show("");
      return;
    }
    // What was written last, on this machine or another one.
    const here = kept(key);
    if (here && here.at >= (Date.parse(draftAt) || 0) - SAVE_AFTER_MS * 4) {
      began.current = { version: here.version, last: here.last, key: here.key };
      if (here.mode === "note" ? mayNote : mayReply) setMode(here.mode);
      setStale(here.last !== last);
      show(here.text);
      // The page was left before the other machines were to know.
      if (here.text !== draft) saveLater(here.text);
    } else {
      began.current = draft ? { version, last, key: fresh() } : null;
      setStale(Boolean(draft) && outdated);
      show(draft);
    }
  }, [key, known, sent]);

  useEffect(() => {
    if (mode === "reply" && !mayReply) setMode("note");
  }, [mode, mayReply]);

  /* Only another's word makes what one has read old; one's own deeds and properties do not. */
  useEffect(() => {
    if (!began.current) return;
    if (began.current.last === last) began.current.version = version;
    else setStale(true);
  }, [version, last]);

  const keep = (text, as = mode) => {
    began.current ??= { version, last, key: fresh() };
    localStorage.setItem(key, JSON.stringify({ text, mode: as, at: Date.now(), ...began.current }));
    setLength(lengthOf(text));
    saveLater(text);
    if (Date.now() - typed.current > TYPING_EVERY_MS) {
      typed.current = Date.now();
      onTyping?.();
    }
  };
  const input = (event) => {
    const text = event.target.value;
    if (text === "/" && macros.length) {
      show("");
      setPicking(true);
      return;
    }
    keep(text);
  };
  const turn = (to) => {
    setMode(to);
    if (box.current.value) keep(box.current.value, to);
    box.current.focus();
  };
  const read = () => {
    began.current = { ...began.current, version, last };
    setStale(false);
    keep(box.current.value);
    box.current.focus();
  };
  const send = (then) => {
    const text = box.current.value.trim();
    if (working || stale || !text || lengthOf(text) > MOST[mode]) return;
    clearTimeout(saving.current);
    onSend?.(mode, text, then, began.current?.version ?? version, began.current?.key ?? fresh());
  };
  const press = (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send(mode === "note" ? "" : wanted);
  };
  const insert = ({ text, then }) => {
    setPicking(false);
    setWanted(then);
    const before = box.current.value;
    const joined = before.trim() ? `${before.trimEnd()}\n\n${text}` : text;
    show(joined);
    keep(joined);
    box.current.focus();
  };

  if (!mayReply && !mayNote) return null;
  return (
    <section className="wp-composer" data-mode={mode} aria-label="Write">
      <div className="wp-composer-tabs" role="group" aria-label="To whom">
        <button type="button" data-hotkey="r" aria-pressed={mode === "reply"} disabled={!mayReply} onClick={() => turn("reply")}>
          Reply to the customer
        </button>
        <button type="button" data-hotkey="n" aria-pressed={mode === "note"} disabled={!mayNote} onClick={() => turn("note")}>
          Note for colleagues
        </button>
        <span className="wp-grow" />
        {macros.length > 0 && (
          <button type="button" aria-expanded={picking} onClick={() => setPicking(!picking)}>
            Macros <kbd>/</kbd>
          </button>
        )}
      </div>
      {stale && (
        <p className="wp-composer-stale" role="status">
          <span className="wp-shape" data-tone="warning" aria-hidden="true" />
          <span>{lastBy || "Somebody"} wrote while you were writing. Your draft is kept.</span>
          <button type="button" className="wp-button wp-button-small" onClick={read}>I have read it</button>
        </p>
      )}
      {picking && <Macros macros={macros} onPick={insert} onLeave={() => { setPicking(false); box.current.focus(); }} />}
      <textarea
        ref={box} rows={4} aria-label={mode === "note" ? "Note for colleagues" : "Reply to the customer"}
        placeholder={mode === "note" ? "Only colleagues read this" : "Write to the customer; / for a macro"}
        aria-invalid={over > 0} onInput={input} onKeyDown={press}
      />
      {over > 0 && (
        <p role="alert" className="wp-form-fault">
          {over.toLocaleString("en")} {over === 1 ? "character" : "characters"} too many: {mode === "note" ? "a note" : "a message"} holds {MOST[mode].toLocaleString("en")}.
        </p>
      )}
      {fault && <p role="alert" className="wp-form-fault">{fault}</p>}
      <div className="wp-composer-end">
        <span className="wp-muted wp-grow">{length === 0 ? "Ctrl Enter sends" : "Draft kept"}</span>
        {mode === "note" ? (
          <button type="button" className="wp-button wp-button-main" disabled={unready} onClick={() => send("")}>
            Add note
          </button>
        ) : WAYS.filter(({ then }) => then !== "pending third_party" || then === wanted).map(({ then, word, hint }) => (
          <button
            key={word} type="button" title={hint} disabled={unready} onClick={() => send(then)}
            className={`wp-button ${then === wanted ? "wp-button-main" : ""}`}
          >
            {word}
          </button>
        ))}
      </div>
    </section>
  );
}
