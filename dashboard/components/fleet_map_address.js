/* The map's state in the page's address, so that a link shows a colleague the same thing. */

const LIST = { status: "status", vehicle: "vehicle" };
const TEXT = { q: "q", hub: "hub", driver: "driver", at: "time", window: "window", hide: "hide" };

/* What the address asks for: { place, filters, driver, follow, time, window, speed, hidden }. */
export function readAddress(search = window.location.search) {
  const query = new URLSearchParams(search);
  const list = (name) => (query.get(name) ?? "").split(",").filter(Boolean);
  const place = (query.get("at") ?? "").split(",").map(Number);
  const time = Date.parse(query.get(TEXT.at) ?? "");
  return {
    place: place.length === 3 && place.every(Number.isFinite) ? place : null,
    filters: {
      status: list(LIST.status), vehicle: list(LIST.vehicle),
      hub: query.get(TEXT.hub) ?? "", q: query.get(TEXT.q) ?? "",
    },
    driver: query.get(TEXT.driver) ?? "",
    follow: query.get("follow") === "1",
    time: Number.isFinite(time) ? time : null,
    window: Number(query.get(TEXT.window)) || null,
    hidden: list(TEXT.hide),
  };
}

/* Writes `changes` (by parameter; empty removes it) beside whatever else the address holds. */
export function writeAddress(changes) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(changes)) {
    const text = Array.isArray(value) ? value.join(",") : value ?? "";
    if (text === "" || text === false) url.searchParams.delete(name);
    else url.searchParams.set(name, text === true ? "1" : String(text));
  }
  // Commas and colons are legal in a query; unescaped, the link stays readable.
  const query = url.searchParams.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  const next = `${url.pathname}${query ? `?${query}` : ""}${url.hash}`;
  if (next !== window.location.pathname + window.location.search + window.location.hash) {
    window.history.replaceState(window.history.state, "", next);
  }
}

/* Latitude, longitude, zoom as the address holds them. */
export function placeText(center, zoom) {
  const digits = zoom > 12 ? 5 : 4;
  return [center.lat.toFixed(digits), center.lng.toFixed(digits), zoom.toFixed(2)].join(",");
}
