/* Every driver shown, as columns; positions in web mercator (0..1), moved smoothly between ticks. */
import { ageSeconds } from "./fleet_map_frames.js";

const JUMP = 6e-5; // of the world's width, about 2.4 km: farther is drawn as a jump, not a flight

export const mercatorX = (lon) => (180 + lon) / 360;
export const mercatorY = (lat) =>
  (180 - (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))) / 360;
export const lonOf = (x) => x * 360 - 180;
export const latOf = (y) =>
  (360 / Math.PI) * Math.atan(Math.exp(((180 - y * 360) * Math.PI) / 180)) - 90;

const COLUMNS = {
  slot: Uint32Array,
  state: Uint8Array,
  bearing: Uint8Array,
  bearingBefore: Uint8Array,
  speed: Uint8Array,
  fixMs: Float64Array,
  fromX: Float64Array,
  fromY: Float64Array,
  toX: Float64Array,
  toY: Float64Array,
};

export class Points {
  constructor() {
    this.rowOf = new Map();
    this.details = new Map();
    this.slotOf = new Map();
    this.size = 0;
    this.revision = 0;
    this.reserve(1024);
  }

  reserve(capacity) {
    for (const [name, Kind] of Object.entries(COLUMNS)) {
      const grown = new Kind(capacity);
      if (this[name]) grown.set(this[name].subarray(0, this.size));
      this[name] = grown;
    }
    this.capacity = capacity;
  }

  /* Forget positions; `everything` also forgets who the slots are (another epoch). */
  clear(everything = false) {
    this.size = 0;
    this.rowOf.clear();
    if (everything) {
      this.details.clear();
      this.slotOf.clear();
    }
    this.revision += 1;
  }

  learn(rows) {
    for (const [slot, id, code, name, plate, vehicle, hub, region] of rows) {
      this.details.set(slot, { slot, id, code, name, plate, vehicle, hub, region });
      this.slotOf.set(id, slot);
    }
    this.revision += 1;
  }

  /* Take a snapshot or delta. `progress` (0..1) is how far the last move has been shown. */
  apply(frame, progress) {
    this.settle(progress);
    const kept = frame.kind === "snapshot" ? new Set() : null;
    for (let i = 0; i < frame.n; i += 1) {
      const slot = frame.slotState[i] & 0xffffff;
      kept?.add(slot);
      this.put(slot, frame, i);
    }
    if (kept) {
      for (let row = this.size - 1; row >= 0; row -= 1) {
        if (!kept.has(this.slot[row])) this.removeRow(row);
      }
    } else {
      for (const slot of frame.removed) {
        const row = this.rowOf.get(slot);
        if (row !== undefined) this.removeRow(row);
      }
    }
    this.revision += 1;
  }

  put(slot, frame, i) {
    const x = mercatorX(frame.lon[i] / 1e7);
    const y = mercatorY(frame.lat[i] / 1e7);
    let row = this.rowOf.get(slot);
    const fresh = row === undefined;
    if (fresh) {
      if (this.size === this.capacity) this.reserve(this.capacity * 2);
      row = this.size;
      this.size += 1;
      this.rowOf.set(slot, row);
      this.slot[row] = slot;
      this.bearingBefore[row] = frame.bearing[i];
    } else {
      this.bearingBefore[row] = this.bearing[row];
    }
    if (fresh || Math.abs(x - this.fromX[row]) + Math.abs(y - this.fromY[row]) > JUMP) {
      this.fromX[row] = x;
      this.fromY[row] = y;
    }
    this.toX[row] = x;
    this.toY[row] = y;
    this.state[row] = frame.slotState[i] >>> 24;
    this.bearing[row] = frame.bearing[i];
    this.speed[row] = frame.speed[i];
    const age = ageSeconds(frame.age[i]);
    this.fixMs[row] = age === null ? 0 : frame.serverMs - age * 1000;
  }

  /* Make what is shown now the start of the next move. */
  settle(progress) {
    const { fromX, fromY, toX, toY } = this;
    for (let row = 0; row < this.size; row += 1) {
      fromX[row] += (toX[row] - fromX[row]) * progress;
      fromY[row] += (toY[row] - fromY[row]) * progress;
      this.bearingBefore[row] = this.bearing[row];
    }
  }

  removeRow(row) {
    const last = this.size - 1;
    this.rowOf.delete(this.slot[row]);
    if (row !== last) {
      for (const name of Object.keys(COLUMNS)) this[name][row] = this[name][last];
      this.rowOf.set(this.slot[row], row);
    }
    this.size = last;
  }

  /* Where a driver is shown now, or null. */
  shown(slot, progress) {
    const row = this.rowOf.get(slot);
    if (row === undefined) return null;
    const x = this.fromX[row] + (this.toX[row] - this.fromX[row]) * progress;
    const y = this.fromY[row] + (this.toY[row] - this.fromY[row]) * progress;
    return { row, x, y, lon: lonOf(x), lat: latOf(y) };
  }

  /* The driver nearest to a place, within `reach` (mercator), or null. */
  nearest(x, y, reach, progress) {
    let best = null;
    let bestDistance = reach * reach;
    for (let row = 0; row < this.size; row += 1) {
      const dx = this.fromX[row] + (this.toX[row] - this.fromX[row]) * progress - x;
      const dy = this.fromY[row] + (this.toY[row] - this.fromY[row]) * progress - y;
      const distance = dx * dx + dy * dy;
      if (distance < bestDistance) {
        bestDistance = distance;
        best = this.slot[row];
      }
    }
    return best;
  }
}
