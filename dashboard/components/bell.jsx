/* The bell of the top bar: what is open, and how a browser on shift rings for what is new. */
import { useEffect, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";

const ARMED = "waypost-shift";
const LOUD = ["SEV1", "SEV2"];

// Every page has a frame of its own: what was heard and the sound outlive it.
let heard = null;
let sound = null;

function wake() {
  sound ??= window.AudioContext ? new AudioContext() : null;
  if (sound?.state === "suspended") sound.resume();
}

/* Two falling tones, as often as the severity asks. */
function chime(times) {
  if (sound?.state !== "running") return;
  for (let stroke = 0; stroke < times * 2; stroke += 1) {
    const at = sound.currentTime + stroke * 0.22 + Math.floor(stroke / 2) * 0.16;
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    tone.frequency.value = stroke % 2 ? 587 : 880;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(0.22, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
    tone.connect(volume).connect(sound.destination);
    tone.start(at);
    tone.stop(at + 0.22);
  }
}

function notify(row, go) {
  if (window.Notification?.permission !== "granted") return;
  const shown = new Notification(`${row.severity} ${row.title}`, {
    body: `${row.number}, ${row.place}`, tag: row.id, icon: "/icon.svg", requireInteraction: row.severity === "SEV1",
  });
  shown.onclick = () => {
    window.focus();
    shown.close();
    go(row.link);
  };
}

/* Rows that wait for somebody now and did not when last looked at; none on the first look. */
function news(rows) {
  const before = heard;
  heard = new Map(rows.map((row) => [row.id, row.waits]));
  return before ? rows.filter((row) => row.waits && !before.get(row.id)) : [];
}

function Shift({ armed, onSwitch }) {
  const denied = armed && window.Notification && Notification.permission === "denied";
  return (
    <div className="wp-bell-shift">
      <span>
        <strong>{armed ? "On shift" : "Not on shift"}</strong>
        <span className="wp-muted">
          {!armed && "Start it, and this browser rings for what is new."}
          {armed && !denied && "This browser rings for what is new."}
          {denied && "Sound only: the browser refuses notifications of this site."}
        </span>
      </span>
      <button
        type="button" aria-pressed={armed} data-wp-stay=""
        className={`wp-button wp-button-small ${armed ? "" : "wp-button-main"}`}
        onClick={() => onSwitch(!armed)}
      >
        {armed ? "End shift" : "Start shift"}
      </button>
    </div>
  );
}

function Row({ row }) {
  return (
    <Link to={row.link} className="wp-menu-row wp-bell-row">
      <span className="wp-state">
        <span className="wp-shape" data-tone={row.tone} aria-hidden="true" />
        <span>{row.severity}</span>
      </span>
      <span className="wp-cell-two">
        <span className="wp-clip">{row.title}</span>
        <span>{row.number}, {row.place}</span>
      </span>
      <span className="wp-muted">{row.state}</span>
    </Link>
  );
}

export function Bell({ rows = [], known = false, tone = "off", words = "", seconds = 5, onBeat, onShift }) {
  const navigate = useNavigate();
  const [armed, setArmed] = useState(false);
  const [said, setSaid] = useState("");
  const beat = useRef(onBeat);
  beat.current = onBeat;

  useEffect(() => {
    setArmed(localStorage.getItem(ARMED) === "on");
    beat.current?.();
    // On shift it also looks while the page is hidden: that is when a notification is needed.
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" || localStorage.getItem(ARMED) === "on") beat.current?.();
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);

  // A browser lets a page sound only after a click, again after each load.
  useEffect(() => {
    if (!armed) return undefined;
    document.addEventListener("pointerdown", wake);
    return () => document.removeEventListener("pointerdown", wake);
  }, [armed]);

  useEffect(() => {
    if (!known) return;
    const fresh = news(rows);
    if (!fresh.length) return;
    setSaid(fresh.map((row) => `${row.severity} ${row.title}`).join(". "));
    if (!armed) return;
    fresh.forEach((row) => notify(row, navigate));
    const loud = fresh.filter((row) => LOUD.includes(row.severity));
    if (loud.length) chime(loud.some((row) => row.severity === "SEV1") ? 3 : 1);
  }, [rows, known]);

  const turn = (on) => {
    localStorage.setItem(ARMED, on ? "on" : "off");
    setArmed(on);
    if (on) {
      wake();
      chime(1);
      window.Notification?.requestPermission?.();
    }
    onShift?.(on);
  };
  return (
    <>
      <details className="wp-menu wp-bell">
        <summary className="wp-bell-button" data-tone={tone} aria-label={`Incidents: ${words || "none open"}`}>
          {tone === "off" ? (
            <svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
              <path d="M6 8a6 6 0 0 1 12 0c0 7 3 9 3 9H3s3-2 3-9M10.3 21a2 2 0 0 0 3.4 0" strokeLinecap="round" strokeLinejoin="round" />
            </svg>
          ) : (
            <span className="wp-shape" data-tone={tone} aria-hidden="true" />
          )}
          {words && <span>{words}</span>}
          {armed && <span className="wp-bell-armed" title="On shift: this browser rings" />}
        </summary>
        <div className="wp-menu-list wp-menu-right wp-bell-list">
          <Shift armed={armed} onSwitch={turn} />
          {rows.map((row) => <Row key={row.id} row={row} />)}
          {known && rows.length === 0 && <p className="wp-bell-none">No incident is open where you may look.</p>}
          <Link to="/incidents" className="wp-menu-row wp-bell-all">All incidents<kbd>g i</kbd></Link>
        </div>
      </details>
      <span className="wp-hidden-words" role="status" aria-live="assertive">{said}</span>
    </>
  );
}
