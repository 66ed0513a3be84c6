/* Parts of the support desk: SLA clocks, who else is here, and the keys of a ticket's page. */
import { useEffect, useState } from "react";

const two = (number) => String(number).padStart(2, "0");

function span(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const days = Math.floor(whole / 86400);
  const hours = Math.floor((whole % 86400) / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${two(minutes)}`;
  return `${minutes}:${two(whole % 60)}`;
}

const TONES = { met: "good", running: "info", soon: "warning", breached: "critical", paused: "off" };

/* What a clock says at a moment: past its time it is breached, whatever was told when it was loaded. */
function told(state, due, left, now) {
  if (state === "met") return { state, words: "met" };
  if (state === "paused") return { state, words: left > 0 ? `paused, ${span(left)} left` : "paused" };
  const rest = (Date.parse(due) - now) / 1000;
  if (Number.isNaN(rest)) return null;
  if (rest <= 0) return { state: "breached", words: `${span(rest)} over` };
  return { state: state === "soon" ? "soon" : "running", words: span(rest) };
}

/* One SLA clock, counted down on every second; `word` says what is due. */
export function Due({ state = "", due = "", left = 0, word = "", zone = "UTC" }) {
  const [now, setNow] = useState(0);
  const runs = state !== "met" && state !== "paused";
  useEffect(() => {
    setNow(Date.now());
    if (!runs) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [runs, due]);
  const clock = state && now ? told(state, due, left, now) : null;
  if (!clock) return <span className="wp-muted">none</span>;
  return (
    <span className="wp-due" data-state={clock.state} title={exactly(due, zone)} role="timer">
      <span className="wp-shape" data-tone={TONES[clock.state]} aria-hidden="true" />
      <span>{word && `${word} `}{clock.words}</span>
    </span>
  );
}

function exactly(at, zone) {
  const moment = new Date(at);
  if (!at || Number.isNaN(moment.getTime())) return "";
  try {
    return `due ${moment.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: zone })} ${zone}`;
  } catch {
    return `due ${moment.toISOString()}`;
  }
}

/* Presses what is marked with `data-hotkey`; a key after `g` belongs to the frame. */
export function Hotkeys() {
  useEffect(() => {
    let goingUntil = 0;
    const press = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || window.waypost.typing(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const going = Date.now() < goingUntil;
      goingUntil = event.key === "g" && !going ? Date.now() + 1200 : 0;
      if (going || !/^[a-z]$/.test(event.key)) return;
      const found = document.querySelector(`.wp-main [data-hotkey="${event.key}"]:not(:disabled)`);
      if (!found) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      found.click();
    };
    window.addEventListener("keydown", press, true);
    return () => window.removeEventListener("keydown", press, true);
  }, []);
  return null;
}

/* Keeps the newest of a conversation in sight, unless the reader has gone up to older ones. */
export function Newest({ count = 0, children }) {
  const [box, setBox] = useState(null);
  useEffect(() => {
    if (!box) return;
    const near = box.scrollHeight - box.scrollTop - box.clientHeight < 160;
    if (near || !box.dataset.seen) box.scrollTop = box.scrollHeight;
    box.dataset.seen = "yes";
  }, [box, count]);
  return (
    <div ref={setBox} className="wp-talk" tabIndex={0} role="log" aria-label="Conversation" aria-live="polite">
      {children}
    </div>
  );
}
