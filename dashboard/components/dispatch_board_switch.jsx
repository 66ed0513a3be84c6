/* Automatic matching of the city: on or paused, by whom and why, and how it does. */
import { useNow, spanOf } from "./dispatch_board_time.js";

export function MatchingSwitch({ board }) {
  const { matching } = board;
  if (!board.ready || matching.cities.length === 0) return null;
  return (
    <div className="wpb-switch" role="group" aria-label="Automatic matching">
      {matching.cities.length === 1 ? <OneCity board={board} city={matching.cities[0]} /> : <Cities board={board} />}
    </div>
  );
}

const figures = (matching) => [
  `every ${matching.every_s} s`,
  matching.median_s < 0 ? "no offer in the last hour" : `median offer ${matching.median_s < 10 ? matching.median_s.toFixed(1) : Math.round(matching.median_s)} s`,
].join(", ");

function OneCity({ board, city }) {
  const now = useNow(10_000);
  return (
    <>
      <span className="wp-state"><span className="wp-shape" data-tone={city.on ? "good" : "warning"} aria-hidden="true" />Automatic matching {city.on ? "on" : "paused"}</span>
      {city.on
        ? <span className="wp-muted wp-clip">{figures(board.matching)}</span>
        : <span className="wp-muted wp-clip" title={city.reason}>{[city.by && `by ${city.by}`, city.at && `${spanOf(now - city.at)} ago`, city.reason].filter(Boolean).join(", ")}</span>}
      {board.may.assign && (
        <button type="button" className="wp-button wp-button-small" onClick={() => board.flip(city)}>{city.on ? `Pause ${city.name}` : `Resume ${city.name}`}</button>
      )}
    </>
  );
}

function Cities({ board }) {
  const { matching, may } = board;
  const on = matching.cities.filter((city) => city.on).length;
  const paused = matching.cities.length - on;
  return (
    <>
      <span className="wp-state"><span className="wp-shape" data-tone={paused ? "warning" : "good"} aria-hidden="true" />Automatic matching on in {on} of {matching.cities.length} cities</span>
      <span className="wp-muted wp-clip">{figures(matching)}</span>
      <details className="wp-menu">
        <summary className="wp-button wp-button-small">Cities</summary>
        <div className="wp-menu-list wpb-cities">
          {matching.cities.map((city) => (
            <div key={city.code} className="wpb-city">
              <span className="wp-state"><span className="wp-shape" data-tone={city.on ? "good" : "warning"} aria-hidden="true" />{city.name}</span>
              <span className="wp-muted wp-clip" title={city.reason}>{city.on ? `${city.queue} waiting` : `paused${city.by ? ` by ${city.by}` : ""}: ${city.reason}`}</span>
              {may.assign && <button type="button" className="wp-button wp-button-small" onClick={() => board.flip(city)}>{city.on ? "Pause" : "Resume"}<span className="wp-hidden-words"> {city.name}</span></button>}
            </div>
          ))}
        </div>
      </details>
    </>
  );
}
