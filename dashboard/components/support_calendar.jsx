/* The editor of business hours: several shifts a day, and the days without any. */
import { useEffect, useState } from "react";

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const FIRST = { begins: "09:00", ends: "18:00" };

const minutes = (time) => {
  const [hours, rest] = time.split(":").map(Number);
  return hours * 60 + rest;
};
const clock = (count) => `${String(Math.floor(count / 60) % 24).padStart(2, "0")}:${String(count % 60).padStart(2, "0")}`;

/* Another shift begins an hour after the last one ends, and lasts as long as the day allows. */
function another(shifts) {
  const last = shifts.at(-1);
  if (!last) return FIRST;
  const begins = Math.min(minutes(last.ends) + 60, 23 * 60);
  return { begins: clock(begins), ends: clock(Math.min(begins + 240, 24 * 60)) };
}

export function CalendarEditor({ calendar, serial = "", regions = [], working = false, fault = "", onSave, onLeave }) {
  const [kept, setKept] = useState(null);
  useEffect(() => setKept(structuredClone(calendar)), [serial]);
  if (!kept) return null;

  const change = (part) => setKept({ ...kept, ...part });
  const day = (at, shifts) => change({ week: kept.week.map((each, other) => (other === at ? shifts : each)) });
  const shift = (at, which, part) => day(at, kept.week[at].map((each, other) => (other === which ? { ...each, ...part } : each)));
  const holiday = (which, part) => change({ holidays: kept.holidays.map((each, other) => (other === which ? { ...each, ...part } : each)) });
  const save = (event) => {
    event.preventDefault();
    if (!working) onSave?.(kept);
  };

  return (
    <form className="wp-drawer-form" onSubmit={save}>
      <div className="wp-two-cols">
        <label className="wp-field">
          <span>Where</span>
          <select className="wp-input" value={kept.region} disabled={!kept.fresh} onChange={(event) => {
            const chosen = regions.find(({ code }) => code === event.target.value);
            change({ region: event.target.value, zone: chosen?.zone ?? kept.zone });
          }}>
            {regions.map(({ code, path }) => <option key={code} value={code}>{path}</option>)}
          </select>
        </label>
        <label className="wp-field">
          <span>Time zone</span>
          <input className="wp-input" value={kept.zone} required onChange={(event) => change({ zone: event.target.value })} />
        </label>
      </div>
      <fieldset className="wp-fieldset">
        <legend className="wp-label">Hours of a week</legend>
        {DAYS.map((name, at) => (
          <div key={name} className="wp-day" role="group" aria-label={name}>
            <span>{name}</span>
            <div className="wp-shifts">
              {kept.week[at].length === 0 && <span className="wp-muted">closed</span>}
              {kept.week[at].map((each, which) => (
                <span key={which} className="wp-shift">
                  <input type="time" className="wp-input" required value={each.begins} aria-label={`${name}, shift ${which + 1} begins`}
                    onChange={(event) => shift(at, which, { begins: event.target.value })} />
                  <span aria-hidden="true">to</span>
                  <input type="time" className="wp-input" required value={each.ends} aria-label={`${name}, shift ${which + 1} ends`}
                    onChange={(event) => shift(at, which, { ends: event.target.value })} />
                  <button type="button" className="wp-icon-button" aria-label={`Remove shift ${which + 1} of ${name}`}
                    onClick={() => day(at, kept.week[at].filter((_, other) => other !== which))}>
                    <svg viewBox="0 0 16 16" width="10" height="10" aria-hidden="true">
                      <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" />
                    </svg>
                  </button>
                </span>
              ))}
            </div>
            <span className="wp-row wp-day-acts">
              <button type="button" className="wp-chip" aria-label={`Add a shift on ${name}`} onClick={() => day(at, [...kept.week[at], another(kept.week[at])])}>
                add
              </button>
              {at > 0 && (
                <button type="button" className="wp-chip" aria-label={`${name} as ${DAYS[at - 1]}`} title={`The same as ${DAYS[at - 1]}`}
                  onClick={() => day(at, structuredClone(kept.week[at - 1]))}>
                  same
                </button>
              )}
            </span>
          </div>
        ))}
      </fieldset>
      <fieldset className="wp-fieldset">
        <legend className="wp-label">Holidays</legend>
        {kept.holidays.map((each, which) => (
          <div key={which} className="wp-holiday">
            <input type="date" className="wp-input" required value={each.on} aria-label={`Holiday ${which + 1}, day`}
              onChange={(event) => holiday(which, { on: event.target.value })} />
            <input className="wp-input" required value={each.name} maxLength={200} placeholder="Its name" aria-label={`Holiday ${which + 1}, name`}
              onChange={(event) => holiday(which, { name: event.target.value })} />
            <button type="button" className="wp-icon-button" aria-label={`Remove ${each.name || "the holiday"}`}
              onClick={() => change({ holidays: kept.holidays.filter((_, other) => other !== which) })}>
              <svg viewBox="0 0 16 16" width="10" height="10" aria-hidden="true">
                <path d="M3 3l10 10M13 3L3 13" stroke="currentColor" strokeWidth="1.5" />
              </svg>
            </button>
          </div>
        ))}
        <span>
          <button type="button" className="wp-chip" onClick={() => change({ holidays: [...kept.holidays, { on: "", name: "" }] })}>add a holiday</button>
        </span>
      </fieldset>
      <p role="alert" className="wp-form-fault">{fault}</p>
      <div className="wp-form-end">
        <button type="button" className="wp-button" onClick={() => onLeave?.()}>Leave it</button>
        <button type="submit" className="wp-button wp-button-main" disabled={working}>Keep the calendar</button>
      </div>
    </form>
  );
}
