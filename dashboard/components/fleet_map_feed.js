/* The live feed's socket: view out, frames in, back-off and resume when the line drops. */
import { decodeFrame } from "./fleet_map_frames.js";

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15000;
const SILENCE_MS = 6000;
const DO_NOT_RETRY = { 4403: "forbidden", 4429: "too_many" };
const SIGNED_OUT = 4401;

export class LiveFeed {
  /* `on` holds hello(message, sameEpoch), frame(frame), drivers(rows), link(state). */
  constructor(on, address = socketAddress()) {
    this.on = on;
    this.address = address;
    this.seq = 0;
    this.failures = 0;
    this.lastFrameAt = 0;
    this.wake = () => this.retryNow();
  }

  start() {
    this.stopped = false;
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
    this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    clearInterval(this.heartbeat);
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.socket?.close(1000);
  }

  /* What to look at; sent at once when the line is up, and again after every reconnect. */
  look(view) {
    this.view = view;
    this.holdsView = false;
    this.sendView();
  }

  connect() {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.on.link("connecting");
    const socket = new WebSocket(this.address);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      if (typeof event.data === "string") this.hear(JSON.parse(event.data));
      else this.take(event.data);
    };
    socket.onclose = (event) => this.socket === socket && this.lost(event.code);
  }

  hear(message) {
    if (message.type === "hello") {
      const sameEpoch = this.hello?.epoch === message.epoch;
      if (!sameEpoch) this.holdsView = false;
      this.hello = message;
      this.failures = 0;
      this.on.hello(message, sameEpoch);
      this.on.link("open");
      this.beat(message.heartbeat_s);
      this.sendView();
    } else if (message.type === "drivers") {
      this.on.drivers(message.rows);
    } else if (message.type === "error") {
      this.trouble = message;
    }
  }

  take(buffer) {
    const frame = decodeFrame(buffer);
    if (frame === null) {
      // The server has been updated under this page: only a new page can read it.
      window.location.reload();
      return;
    }
    this.send({ type: "ack", tick: frame.tick, seq: frame.seq });
    this.lastFrameAt = performance.now();
    this.tick = frame.tick;
    if (frame.seq !== this.seq) return;
    this.holdsView = true;
    this.on.frame(frame);
  }

  sendView() {
    if (!this.view || this.socket?.readyState !== WebSocket.OPEN || !this.hello) return;
    this.seq += 1;
    const message = { type: "view", seq: this.seq, ...this.view };
    if (this.holdsView) message.resume = { epoch: this.hello.epoch, tick: this.tick };
    this.send(message);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  beat(everySeconds) {
    clearInterval(this.heartbeat);
    this.lastFrameAt = performance.now();
    let sinceBeat = 0;
    this.heartbeat = setInterval(() => {
      sinceBeat += 1;
      if (sinceBeat >= everySeconds) {
        sinceBeat = 0;
        this.send({ type: "ping" });
      }
      // A frame is due every second: a long silence means a dead line that has not said so.
      const silent = performance.now() - this.lastFrameAt;
      if (this.view && silent > SILENCE_MS && document.visibilityState === "visible") {
        this.abandon();
      }
    }, 1000);
  }

  abandon() {
    const dead = this.socket;
    this.socket = null;
    dead?.close();
    this.lost(1006);
  }

  lost(code) {
    clearInterval(this.heartbeat);
    this.socket = null;
    if (this.stopped) return;
    if (code === SIGNED_OUT) {
      this.on.link("signed_out");
      return;
    }
    if (DO_NOT_RETRY[code]) {
      this.on.link(DO_NOT_RETRY[code], this.trouble?.detail);
      return;
    }
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures);
    this.failures += 1;
    this.on.link("lost");
    this.timer = setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2));
  }

  retryNow() {
    const idle = this.socket === null && document.visibilityState === "visible";
    if (idle && this.failures > 0) this.connect();
  }
}

function socketAddress() {
  const address = new URL("/api/live", window.location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}
