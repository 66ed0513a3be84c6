/* How far a flag is on, country by country: a small map for a row, a larger one for a page. */
import { BETWEEN, COUNTRIES, DOTS, VIEW } from "./flag_map_shapes.js";

/* The outlines once for a page; every map on it refers to them. */
export function MapShapes() {
  return (
    <svg width="0" height="0" className="wpf-shapes" aria-hidden="true">
      <defs>
        <path id="wpf-between" d={BETWEEN} />
        {Object.entries(COUNTRIES).map(([code, outline]) => <path key={code} id={`wpf-${code}`} d={outline} />)}
      </defs>
    </svg>
  );
}

/* Nobody asked is told apart from asked and off: the first has no edge. */
function look(found) {
  if (!found || found.share < 0) return { className: "wpf-land" };
  return { className: "wpf-land wpf-asked", style: { fillOpacity: found.share ? 0.18 + 0.82 * found.share : 0 } };
}

/* `shares` holds {code, share, words} for a country; `share` is 0 to 1, below 0 where nobody asked. */
export function FlagMap({ shares = [], label = "", large = false }) {
  const of = Object.fromEntries(shares.map((each) => [each.code, each]));
  const titled = (code) => of[code] && <title>{of[code].words}</title>;
  return (
    <svg viewBox={VIEW} className={large ? "wpf-map wpf-map-large" : "wpf-map"} role="img" aria-label={label}>
      <use href="#wpf-between" className="wpf-land wpf-between" />
      {Object.keys(COUNTRIES).map((code) => (
        <use key={code} href={`#wpf-${code}`} {...look(of[code])}>{titled(code)}</use>
      ))}
      {Object.entries(DOTS).map(([code, [x, y]]) => (
        <circle key={code} cx={x} cy={y} r={large ? 3.4 : 6} {...look(of[code])}>{titled(code)}</circle>
      ))}
    </svg>
  );
}
