/* Decodes the binary frames of /api/live; backend/tracking/live_frames.py describes the layout. */

const VERSION = 1;
const HEADER = 56;
const KINDS = { 1: "snapshot", 2: "delta", 3: "cells" };

export const STATUSES = ["live", "stale", "offline", "off_shift"];
export const MOVING = 4;
export const INACCURATE = 64;
const BATTERY_STEPS = [null, 5, 10, 20, 40, 60, 80, 100];

/* The frame as typed arrays laid over the buffer; null when another version speaks. */
export function decodeFrame(buffer) {
  const head = new DataView(buffer);
  if (head.getUint8(1) !== VERSION) return null;
  const n = head.getUint32(24, true);
  const m = head.getUint32(28, true);
  const frame = {
    kind: KINDS[head.getUint8(0)],
    sourceLost: (head.getUint8(2) & 1) === 1,
    resumed: (head.getUint8(2) & 2) === 2,
    resolution: head.getUint8(3),
    tick: head.getUint32(4, true),
    serverMs: head.getFloat64(8, true),
    newestMs: head.getFloat64(16, true),
    counts: [32, 36, 40, 44].map((at) => head.getUint32(at, true)),
    seq: head.getUint32(48, true),
    inView: head.getUint32(52, true),
    n,
    m,
  };
  return frame.kind === "cells" ? withCells(frame, buffer) : withPoints(frame, buffer);
}

function withPoints(frame, buffer) {
  const { n, m } = frame;
  const bytes = HEADER + 12 * n + 4 * m;
  frame.slotState = new Uint32Array(buffer, HEADER, n);
  frame.lat = new Int32Array(buffer, HEADER + 4 * n, n);
  frame.lon = new Int32Array(buffer, HEADER + 8 * n, n);
  frame.removed = new Uint32Array(buffer, HEADER + 12 * n, m);
  frame.bearing = new Uint8Array(buffer, bytes, n);
  frame.speed = new Uint8Array(buffer, bytes + n, n);
  frame.age = new Uint8Array(buffer, bytes + 2 * n, n);
  return frame;
}

function withCells(frame, buffer) {
  const { n } = frame;
  frame.index = new BigUint64Array(buffer, HEADER, n);
  frame.lat = new Int32Array(buffer, HEADER + 8 * n, n);
  frame.lon = new Int32Array(buffer, HEADER + 12 * n, n);
  frame.byStatus = [16, 20, 24, 28].map((at) => new Uint32Array(buffer, HEADER + at * n, n));
  return frame;
}

/* Seconds since the fix, at the frame's server time; null when unknown. */
export function ageSeconds(byte) {
  if (byte === 255) return null;
  if (byte < 120) return byte / 4;
  if (byte < 180) return 30 + (byte - 120) * 5;
  if (byte < 240) return 330 + (byte - 180) * 60;
  return 3930 + (byte - 240) * 3600;
}

/* Metres per second; null when unknown. */
export const speedOf = (byte) => (byte === 255 ? null : byte / 4);

/* Degrees from north; null when unknown. */
export const bearingOf = (byte) => (byte === 255 ? null : byte * 2);

/* Battery charge in percent, rounded up to the next step; null when unknown. */
export const batteryOf = (state) => BATTERY_STEPS[(state >> 3) & 7];
