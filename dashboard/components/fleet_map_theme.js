/* The map's colours, read from the tokens on <html> so that the theme decides them. */

const NAMES = {
  ground: "--wp-ground",
  surface: "--wp-surface",
  raised: "--wp-raised",
  line: "--wp-line",
  text: "--wp-text",
  muted: "--wp-muted",
  accent: "--wp-accent",
  strong: "--wp-strong",
  good: "--wp-good",
  warning: "--wp-warning",
  critical: "--wp-critical",
  info: "--wp-info",
  off: "--wp-off",
  water: "--wp-map-water",
  land: "--wp-map-land",
  border: "--wp-map-border",
  label: "--wp-map-label",
  font: "--wp-font",
};

/* Every token by its short name. */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const theme = { dark: document.documentElement.dataset.theme !== "light" };
  for (const [name, property] of Object.entries(NAMES)) {
    theme[name] = style.getPropertyValue(property).trim();
  }
  return theme;
}

/* Calls `changed(theme)` whenever the theme of the page changes; returns how to stop. */
export function watchTheme(changed) {
  const observer = new MutationObserver(() => changed(readTheme()));
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}

/* The palette of the drivers, by status and then the others: premultiplied RGBA in 0..1. */
export function glyphPalette(theme) {
  const colors = new Float32Array(32);
  [theme.good, theme.warning, theme.off, theme.off, theme.info, theme.critical, theme.accent, theme.strong]
    .forEach((color, i) => colors.set(rgba(color, i === 3 ? 0.55 : 1), i * 4));
  return { colors, edge: rgba(theme.land, 0.9) };
}

/* A colour token with another opacity, as CSS. */
export function alpha(color, opacity) {
  const [r, g, b] = channels(color);
  return `rgba(${r}, ${g}, ${b}, ${opacity})`;
}

/* A mix of two colour tokens, as CSS: `share` of the second. */
export function mix(first, second, share) {
  const a = channels(first);
  const b = channels(second);
  const [r, g, bl] = a.map((value, i) => Math.round(value + (b[i] - value) * share));
  return `rgb(${r}, ${g}, ${bl})`;
}

function rgba(color, opacity) {
  return channels(color).map((value) => (value / 255) * opacity).concat(opacity);
}

function channels(color) {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  pen.fillStyle = color;
  pen.fillRect(0, 0, 1, 1);
  return [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
