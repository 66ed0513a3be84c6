/* The orders' layers on the map: open ones by lateness, the chosen one's ends, the planned way. */
import { EMPTY } from "../fleet_map/fleet_map_base.js";
import { alpha } from "../fleet_map/fleet_map_theme.js";

const RATIO = 2;
const SIZE = 16;

/* Adds the layers to a freshly loaded style, below the drivers' names and above regions. */
export function addOrderLayers(map, theme, content) {
  for (const name of ["orders", "order-ways", "order-ends"]) {
    map.addSource(name, { type: "geojson", data: content[name] ?? EMPTY });
  }
  addMarks(map, theme);
  for (const layer of layers(theme)) map.addLayer(layer);
  showHeat(map, content.heat === true);
}

/* Shows open orders as warmth instead of points. */
export function showHeat(map, on) {
  if (!map.getLayer("order-heat")) return;
  map.setLayoutProperty("order-heat", "visibility", on ? "visible" : "none");
  map.setLayoutProperty("order-points", "visibility", on ? "none" : "visible");
}

function layers(theme) {
  return [
    {
      id: "order-heat", type: "heatmap", source: "orders",
      paint: {
        "heatmap-weight": ["match", ["get", "tone"], "critical", 1, "warning", 0.6, 0.35],
        "heatmap-radius": ["interpolate", ["linear"], ["zoom"], 8, 12, 13, 38],
        "heatmap-opacity": 0.75,
        "heatmap-color": [
          "interpolate", ["linear"], ["heatmap-density"],
          0, alpha(theme.warning, 0), 0.25, alpha(theme.warning, 0.25), 0.6, alpha(theme.warning, 0.6), 1, alpha(theme.critical, 0.85),
        ],
      },
    },
    {
      id: "order-way-plan", type: "line", source: "order-ways", filter: ["==", ["get", "kind"], "plan"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": theme.accent, "line-width": 2.2, "line-opacity": 0.7 },
    },
    {
      id: "order-way-direct", type: "line", source: "order-ways", filter: ["!=", ["get", "kind"], "plan"],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": theme.accent, "line-width": 1.8, "line-dasharray": [1.5, 2], "line-opacity": ["match", ["get", "kind"], "approach", 0.6, 1] },
    },
    {
      id: "order-points", type: "symbol", source: "orders",
      layout: {
        "icon-image": ["concat", "wpb-", ["get", "tone"]], "icon-allow-overlap": true, "icon-ignore-placement": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 8, 0.6, 12, 0.85, 15, 1.1],
        "symbol-sort-key": ["match", ["get", "tone"], "critical", 3, "warning", 2, 1],
      },
    },
    {
      id: "order-ends", type: "symbol", source: "order-ends",
      layout: { "icon-image": ["concat", "wpb-", ["get", "kind"]], "icon-allow-overlap": true, "icon-ignore-placement": true },
    },
  ];
}

function addMarks(map, theme) {
  const marks = {
    critical: (pen) => diamond(pen, 4.6, theme.critical),
    warning: (pen) => square(pen, 4, theme.warning),
    good: (pen) => ring(pen, 3.6, theme.muted),
    off: (pen) => ring(pen, 3.6, theme.muted),
    pickup: (pen) => ring(pen, 5.5, theme.strong, 3),
    drop: (pen) => square(pen, 5.5, theme.strong),
    stop: (pen) => ring(pen, 3, theme.accent, 2),
  };
  for (const [name, draw] of Object.entries(marks)) {
    const canvas = document.createElement("canvas");
    canvas.width = SIZE * RATIO;
    canvas.height = SIZE * RATIO;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.scale(RATIO, RATIO);
    pen.translate(SIZE / 2, SIZE / 2);
    pen.strokeStyle = theme.land;
    draw(pen);
    const id = `wpb-${name}`;
    if (map.hasImage(id)) map.removeImage(id);
    map.addImage(id, pen.getImageData(0, 0, canvas.width, canvas.height), { pixelRatio: RATIO });
  }
}

function square(pen, half, color) {
  pen.fillStyle = color;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.roundRect(-half, -half, half * 2, half * 2, 1.5);
  pen.stroke();
  pen.fill();
}

function diamond(pen, half, color) {
  pen.rotate(Math.PI / 4);
  square(pen, half * 0.85, color);
}

function ring(pen, radius, color, width = 1.6) {
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.beginPath();
  pen.arc(0, 0, radius, 0, Math.PI * 2);
  pen.stroke();
}

const collection = (features) => ({ type: "FeatureCollection", features });
const point = (lon, lat, properties) => ({ type: "Feature", properties, geometry: { type: "Point", coordinates: [lon, lat] } });
const line = (coordinates, kind) => ({ type: "Feature", properties: { kind }, geometry: { type: "LineString", coordinates } });

/* Open orders at their pickups. */
export function orderPoints(orders, toneOf) {
  return collection(orders.map((order) => point(order.start[0], order.start[1], { id: order.id, tone: toneOf(order) })));
}

/* The chosen order: its ends, the way between them, and how the driver picked would come to it. */
export function chosenScene(order, driver, plan) {
  const ways = plan.length > 1 ? [line(plan, "plan")] : [];
  if (!order) return { ways: collection(ways), ends: collection([]) };
  ways.push(line([order.start, order.end], "direct"));
  if (driver?.lon && driver.id !== order.driver) ways.push(line([[driver.lon, driver.lat], order.start], "approach"));
  const ends = [point(...order.start, { kind: "pickup" }), point(...order.end, { kind: "drop" })];
  return { ways: collection(ways), ends: collection(ends) };
}
