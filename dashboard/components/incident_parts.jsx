/* Parts of the pages on incidents: clocks that run, exact times, drafts that stay, a runbook. */
import { useEffect, useRef, useState } from "react";

const two = (number) => String(number).padStart(2, "0");

function lasted(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor((whole % 86400) / 3600);
  const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  if (days) return `${days} d ${two(hours)}:${rest}`;
  return hours ? `${hours}:${rest}` : rest.replace(/^0/, "");
}

/* How long something lasts since a moment; over `goal` seconds it says so by its looks. */
export function Running({ since, until = "", goal = 0, word = "" }) {
  const [now, setNow] = useState(0);
  useEffect(() => {
    setNow(Date.now());
    if (until) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [until]);
  const from = Date.parse(since);
  if (!now || Number.isNaN(from)) return null;
  const seconds = ((until ? Date.parse(until) : now) - from) / 1000;
  return (
    <span className="wp-running" role="timer" data-over={goal > 0 && seconds > goal ? "" : undefined}>
      {word && `${word} `}{lasted(seconds)}
    </span>
  );
}

function told(moment, zone, options) {
  try {
    return moment.toLocaleString("en-GB", { ...options, timeZone: zone || undefined });
  } catch {
    return moment.toLocaleString("en-GB", { ...options, timeZone: "UTC" });
  }
}

/* A moment as the clock shows it in a time zone, with its day when that is not today. */
export function Clock({ at, zone = "UTC", day = true }) {
  const moment = new Date(at);
  if (!at || Number.isNaN(moment.getTime())) return null;
  const date = told(moment, zone, { day: "numeric", month: "short" });
  const today = date === told(new Date(), zone, { day: "numeric", month: "short" });
  const exact = told(moment, zone, { dateStyle: "medium", timeStyle: "medium" });
  return (
    <time dateTime={moment.toISOString()} title={`${exact} ${zone}`}>
      {day && !today && `${date} `}{told(moment, zone, { timeStyle: "medium" })}
    </time>
  );
}

/*
 * A text that outlives the page until it is saved: kept in this browser under `draft`, let go when
 * `serial` moves on. `mark` names what was saved before: when that is another meanwhile, it says so.
 */
export function Draft({ name, draft, initial = "", mark = "", serial = 0, label, rows = 3, placeholder = "", required = false }) {
  const box = useRef(null);
  const began = useRef(serial);
  const [stale, setStale] = useState(false);
  const key = `waypost-draft:${draft}`;
  useEffect(() => {
    if (began.current !== serial) {
      began.current = serial;
      sessionStorage.removeItem(key);
    }
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
    box.current.value = kept?.text ?? initial;
    setStale(Boolean(kept) && kept.from !== mark);
  }, [key, initial, mark, serial]);
  const keep = (event) => {
    const before = JSON.parse(sessionStorage.getItem(key) ?? "null");
    sessionStorage.setItem(key, JSON.stringify({ text: event.target.value, from: before?.from ?? mark }));
  };
  const submit = (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key !== "Enter") return;
    event.preventDefault();
    event.target.form?.requestSubmit();
  };
  const drop = () => {
    sessionStorage.removeItem(key);
    box.current.value = initial;
    setStale(false);
  };
  return (
    <>
      {stale && (
        <span className="wp-draft-note" role="note">
          Somebody saved another text since you began; yours is kept here.
          <button type="button" className="wp-chip" onClick={drop}>show theirs</button>
        </span>
      )}
      <textarea
        ref={box} name={name} rows={rows} aria-label={label} placeholder={placeholder} required={required}
        className="wp-input wp-draft" onInput={keep} onKeyDown={submit}
      />
    </>
  );
}

const INLINE = /(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/;

function inline(text) {
  return text.split(INLINE).map((piece, at) => {
    if (piece.startsWith("`")) return <code key={at}>{piece.slice(1, -1)}</code>;
    if (piece.startsWith("**")) return <strong key={at}>{piece.slice(2, -2)}</strong>;
    const linked = /^\[([^\]]+)\]\(((?:https:\/|)\/[^)\s]+)\)$/.exec(piece);
    return linked ? <a key={at} href={linked[2]} className="wp-link">{linked[1]}</a> : piece;
  });
}

/* The blocks of a Markdown text: headings, numbered and plain lists, fenced code, paragraphs. */
function blocksOf(text) {
  const blocks = [];
  let fence = null;
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) {
      if (fence) fence = null;
      else blocks.push((fence = { kind: "code", lines: [] }));
      continue;
    }
    if (fence) {
      fence.lines.push(line);
      continue;
    }
    const [kind, words] = /^#{1,6} /.test(line) ? ["head", line.replace(/^#+ /, "")]
      : /^\d+[.)] /.test(line) ? ["step", line.replace(/^\d+[.)] /, "")]
      : /^[-*] /.test(line) ? ["point", line.slice(2)]
      : ["text", line.trim()];
    const last = blocks.at(-1);
    if (kind === "text" && !words) blocks.push({ kind: "gap", lines: [] });
    else if (kind === "text" && last && ["text", "step", "point"].includes(last.kind)) {
      last.lines[last.lines.length - 1] += ` ${words}`;
    } else if (last?.kind === kind && kind !== "head") last.lines.push(words);
    else if (last?.kind === "gap" && ["step", "point"].includes(kind) && blocks.at(-2)?.kind === kind) {
      blocks.pop();
      blocks.at(-1).lines.push(words);
    } else blocks.push({ kind, lines: [words] });
  }
  return blocks.filter((block) => block.kind !== "gap");
}

export function Runbook({ text = "" }) {
  return (
    <div className="wp-runbook">
      {blocksOf(text).map((block, at) => {
        const items = block.lines.map((line, number) => <li key={number}>{inline(line)}</li>);
        if (block.kind === "head") return <h3 key={at}>{inline(block.lines[0])}</h3>;
        if (block.kind === "step") return <ol key={at}>{items}</ol>;
        if (block.kind === "point") return <ul key={at}>{items}</ul>;
        if (block.kind === "code") return <pre key={at}>{block.lines.join("\n")}</pre>;
        return <p key={at}>{inline(block.lines[0])}</p>;
      })}
    </div>
  );
}

/* The clock of a wall: the time of a zone, and which zone that is. */
export function WallClock({ zone = "UTC" }) {
  const [now, setNow] = useState(null);
  useEffect(() => {
    setNow(new Date());
    const timer = setInterval(() => setNow(new Date()), 1000);
    return () => clearInterval(timer);
  }, []);
  if (!now) return null;
  return (
    <span className="wp-wall-now">
      {told(now, zone, { hour: "2-digit", minute: "2-digit" })} <span className="wp-muted">{zone}</span>
    </span>
  );
}
