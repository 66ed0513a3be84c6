/* Small live parts of the frame: relative times, timers, messages and the lost-connection banner. */
import { useEffect, useState } from "react";

const listeners = new Set();
let ticking = null;

/* One timer for every relative time on the page. */
function useTick() {
  const [, tick] = useState(0);
  useEffect(() => {
    const listen = () => tick((count) => count + 1);
    listeners.add(listen);
    ticking ??= setInterval(() => listeners.forEach((each) => each()), 1000);
    return () => {
      listeners.delete(listen);
      if (listeners.size === 0) {
        clearInterval(ticking);
        ticking = null;
      }
    };
  }, []);
}

const STEPS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function spoken(seconds) {
  const size = Math.abs(seconds);
  if (size < 1) return "now";
  const [unit, name] = STEPS.find(([step]) => size >= step) ?? [1, "s"];
  // What is past is told in whole units gone by, what lies ahead to the nearest.
  const amount = `${seconds >= 0 ? Math.floor(size / unit) : Math.round(size / unit)} ${name}`;
  return seconds >= 0 ? `${amount} ago` : `in ${amount}`;
}

/* A moment told as "3 min ago", exact on hover in the region's time zone. */
export function Ago({ at, zone, empty = "never" }) {
  useTick();
  const moment = at ? new Date(at) : null;
  if (!moment || Number.isNaN(moment.getTime())) return <span className="wp-muted">{empty}</span>;
  let exact;
  try {
    exact = moment.toLocaleString("en-GB", {
      dateStyle: "medium", timeStyle: "medium", timeZone: zone || undefined,
    });
  } catch {
    exact = moment.toISOString();
  }
  return (
    <time dateTime={moment.toISOString()} title={zone ? `${exact} ${zone}` : exact}>
      {spoken((Date.now() - moment.getTime()) / 1000)}
    </time>
  );
}

/* Calls onBeat every `seconds` while the page is visible, and at once when it becomes visible. */
export function Pulse({ seconds = 5, onBeat }) {
  useEffect(() => {
    let last = Date.now();
    const beat = () => {
      if (document.visibilityState !== "visible") return;
      last = Date.now();
      onBeat?.();
    };
    const timer = setInterval(beat, seconds * 1000);
    const shown = () => Date.now() - last >= seconds * 1000 && beat();
    document.addEventListener("visibilitychange", shown);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", shown);
    };
  }, [seconds]);
  return null;
}

const NOTICE_SEEN = "waypost-notice";

/* What came of the last action, shown once; goes by itself unless it is a refusal. */
export function Notice({ text, tone = "good", serial = 0 }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!serial || !text || sessionStorage.getItem(NOTICE_SEEN) === String(serial)) return undefined;
    sessionStorage.setItem(NOTICE_SEEN, String(serial));
    setShown(true);
    if (tone === "critical") return undefined;
    const timer = setTimeout(() => setShown(false), 6000);
    return () => clearTimeout(timer);
  }, [serial]);
  return (
    <div className="wp-notices" role="status" aria-live="polite">
      {shown && (
        <div className="wp-notice" data-tone={tone}>
          <span className="wp-shape" data-tone={tone} aria-hidden="true" />
          <span>{text}</span>
          <button type="button" className="wp-icon-button" aria-label="Dismiss" onClick={() => setShown(false)}>
            <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
              <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" />
            </svg>
          </button>
        </div>
      )}
    </div>
  );
}

/* Shown while the socket is down; when the reason is an ended session, leads to sign-in. */
export function LinkLost() {
  useEffect(() => {
    let stopped = false;
    const look = async () => {
      try {
        const answer = await fetch(window.location.href, { redirect: "manual", cache: "no-store" });
        if (stopped || answer.type !== "opaqueredirect") return;
        // Nobody is asked about leaving: what is on the screen is to be seen no longer.
        window.dispatchEvent(new Event("wp:signed-out"));
        window.location.reload();
      } catch {
        // The server is away; the socket keeps trying and this banner stays.
      }
    };
    look();
    const timer = setInterval(look, 3000);
    return () => {
      stopped = true;
      clearInterval(timer);
    };
  }, []);
  return (
    <div className="wp-link-lost" role="alert">
      <span className="wp-shape" data-tone="warning" aria-hidden="true" />
      Connection lost, what you see is not live. Trying again.
    </div>
  );
}

const STARTS = "waypost-starts";
const TOKEN = "token"; // Reflex's name for what a tab is known by
const START_WITHIN_MS = 10_000;
const MOST_DOUBLINGS = 3;

/*
 * Drawn until the page knows whom it is for. A start whose question or answer was lost is begun anew
 * as another tab, each time later: nothing has been shown yet that could be lost.
 */
export function Starting() {
  useEffect(() => {
    const begun = Number(sessionStorage.getItem(STARTS)) || 0;
    const begin = async () => {
      const answer = await fetch(window.location.href, { redirect: "manual", cache: "no-store" }).catch(() => null);
      // A server that is away is waited for; an ended session leads to the sign-in page.
      if (!answer?.ok && answer?.type !== "opaqueredirect") return;
      sessionStorage.setItem(STARTS, String(begun + 1));
      sessionStorage.removeItem(TOKEN);
      window.location.reload();
    };
    const timer = setInterval(begin, START_WITHIN_MS * 2 ** Math.min(begun, MOST_DOUBLINGS));
    return () => {
      clearInterval(timer);
      sessionStorage.removeItem(STARTS);
    };
  }, []);
  return null;
}
