/*
 * Draws every driver as one triangle of one WebGL call; the GPU moves them between two ticks.
 * On a canvas of its own over the map: a tick's sixty frames then leave the base map alone. Without
 * a GPU every pixel and every instance counts, so shapes are distances computed in a close triangle:
 * no instancing, no texture.
 */

import { mercatorX, mercatorY } from "./fleet_map_points.js";

const FLOATS = 8;
const CORNERS = 3;
const CROWD = 4000;
const STRIDE = FLOATS * CORNERS;

export const GLYPH = { arrow: 0, dot: 1, square: 2, ring: 3, hollow: 4, halo: 5 };
export const ACCENT = 6; // places in the palette beside the statuses
export const STRONG = 7;

/* Radii are of the shape, in units of u_size; `a_look` is angle before, angle now, kind * 8 + color, scale. */
const VERTEX = `#version 300 es
precision highp float;
in vec4 a_move;
in vec4 a_look;
uniform vec4 u_camera;
uniform vec2 u_pixel;
uniform float u_progress;
uniform float u_size;
uniform vec4 u_colors[8];
flat out vec4 v_color;
flat out vec2 v_shape;
out vec2 v_at;
const vec2 ARROW[3] = vec2[3](vec2(0.0, -1.36), vec2(1.0, 0.98), vec2(-1.0, 0.98));
const vec2 ROUND[3] = vec2[3](vec2(0.0, -2.0), vec2(1.732, 1.0), vec2(-1.732, 1.0));
const float REACH[6] = float[6](1.0, 0.68, 0.8, 0.84, 0.7, 1.04);
void main() {
  int kind = int(a_look.z) / 8;
  int corner = gl_VertexID % 3;
  float turn = mod(a_look.y - a_look.x + 540.0, 360.0) - 180.0;
  float angle = radians(a_look.x + turn * u_progress);
  float size = u_size * a_look.w;
  v_at = kind == 0 ? ARROW[corner] : ROUND[corner] * REACH[kind];
  vec2 offset = mat2(cos(angle), sin(angle), -sin(angle), cos(angle)) * v_at * size * u_pixel;
  vec2 place = mix(a_move.xy, a_move.zw, u_progress) * u_camera.xy + u_camera.zw;
  gl_Position = vec4(place.x + offset.x, place.y - offset.y, 0.0, 1.0);
  v_shape = vec2(float(kind), size);
  v_color = u_colors[int(a_look.z) - kind * 8];
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
flat in vec4 v_color;
flat in vec2 v_shape;
in vec2 v_at;
uniform vec4 u_edge;
out vec4 color;
void main() {
  float kind = v_shape.x;
  float size = v_shape.y;
  if (kind > 4.5) {
    float d = length(v_at);
    float line = clamp(1.3 - abs(d - 0.93) * size, 0.0, 1.0);
    color = v_color * (0.26 * clamp((1.0 - d) * size, 0.0, 1.0) + 0.6 * line);
    return;
  }
  float d;
  if (kind < 0.5) {
    float x = abs(v_at.x);
    d = max(x * 0.932 - v_at.y * 0.362 - 0.282, v_at.y * 0.882 - x * 0.472 - 0.318);
  } else if (kind < 1.5) {
    d = length(v_at) - 0.46;
  } else if (kind < 2.5) {
    d = max(abs(v_at.x), abs(v_at.y)) - 0.5;
  } else {
    d = abs(length(v_at) - (kind < 3.5 ? 0.48 : 0.34)) - 0.13;
  }
  float fill = clamp(0.5 - d * size, 0.0, 1.0);
  float edge = clamp(1.4 - d * size, 0.0, 1.0) - fill;
  color = v_color * fill + u_edge * (edge * v_color.a);
}`;

export class GlyphCanvas {
  constructor(map) {
    this.map = map;
    this.count = 0;
    this.origin = [0, 0];
    this.startedAt = 0;
    this.durationMs = 0;
    this.rows = new Float32Array(STRIDE * 1024);
    this.palette = null;
    this.frames = 0;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "wpm-glyphs";
    this.canvas.setAttribute("aria-hidden", "true");
    map.getCanvasContainer().append(this.canvas);
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => this.setUp());
    map.on("render", () => this.draw());
    this.setUp();
  }

  close() {
    cancelAnimationFrame(this.asked);
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.canvas.remove();
  }

  get progress() {
    if (this.durationMs <= 0) return 1;
    return Math.min(1, (performance.now() - this.startedAt) / this.durationMs);
  }

  /* Begin a move of `durationMs`; until then what `write` fills is drawn at its start. */
  begin(durationMs) {
    this.startedAt = performance.now();
    this.durationMs = durationMs;
  }

  /* Fill the drivers: `fill(put)` calls put(fromX, fromY, toX, toY, angle0, angle1, kind, color, scale). */
  write(capacity, origin, fill) {
    if (this.rows.length < capacity * STRIDE) this.rows = new Float32Array(capacity * STRIDE * 2);
    const { rows } = this;
    const [ox, oy] = origin;
    let at = 0;
    fill((x0, y0, x1, y1, angle0, angle1, kind, color, scale) => {
      for (let corner = 0; corner < CORNERS; corner += 1) {
        rows[at] = x0 - ox;
        rows[at + 1] = y0 - oy;
        rows[at + 2] = x1 - ox;
        rows[at + 3] = y1 - oy;
        rows[at + 4] = angle0;
        rows[at + 5] = angle1;
        rows[at + 6] = kind * 8 + color;
        rows[at + 7] = scale;
        at += FLOATS;
      }
    });
    this.count = at / STRIDE;
    this.origin = origin;
    this.dirty = true;
    this.drawSoon();
  }

  drawSoon() {
    this.asked ??= requestAnimationFrame(() => {
      this.asked = null;
      this.draw();
    });
  }

  setUp() {
    const gl = this.canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false });
    this.gl = gl;
    this.program = link(gl);
    this.at = {};
    for (const name of ["camera", "pixel", "progress", "size", "colors", "edge"]) {
      this.at[name] = gl.getUniformLocation(this.program, `u_${name}`);
    }
    gl.useProgram(this.program);
    gl.bindVertexArray(gl.createVertexArray());
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    for (const [name, offset] of [["a_move", 0], ["a_look", 16]]) {
      const location = gl.getAttribLocation(this.program, name);
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 4, gl.FLOAT, false, FLOATS * 4, offset);
    }
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.dirty = true;
    this.drawSoon();
  }

  draw() {
    const { gl, canvas } = this;
    if (!this.palette || gl.isContextLost()) return;
    this.frames += 1;
    const { width, height } = this.map.getCanvas();
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      gl.viewport(0, 0, width, height);
    }
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!this.count) return;
    if (this.dirty) {
      gl.bufferData(gl.ARRAY_BUFFER, this.rows.subarray(0, this.count * STRIDE), gl.DYNAMIC_DRAW);
      this.dirty = false;
    }
    const progress = this.progress;
    const ratio = this.map.getPixelRatio();
    gl.uniform4fv(this.at.camera, this.camera(width / ratio, height / ratio));
    gl.uniform1f(this.at.progress, progress);
    gl.uniform2f(this.at.pixel, 2 / width, 2 / height);
    gl.uniform1f(this.at.size, ratio * glyphRadius(this.map.getZoom(), this.count));
    gl.uniform4fv(this.at.colors, this.palette.colors);
    gl.uniform4fv(this.at.edge, this.palette.edge);
    gl.drawArrays(gl.TRIANGLES, 0, this.count * CORNERS);
    if (progress < 1) this.drawSoon();
  }

  /*
   * From mercator relative to the origin to clip space: scale and shift. The map is never turned or
   * tilted, so this is all; in double precision, since float32 alone shakes at street level.
   */
  camera(width, height) {
    const world = 512 * 2 ** this.map.getZoom();
    const center = this.map.getCenter();
    const scale = [(2 * world) / width, (-2 * world) / height];
    return [
      ...scale,
      (this.origin[0] - mercatorX(center.lng)) * scale[0],
      (this.origin[1] - mercatorY(center.lat)) * scale[1],
    ];
  }
}

/* Half the width of a driver's mark in CSS pixels: larger when near, smaller in a crowd. */
export function glyphRadius(zoom, count) {
  const near = Math.max(4.5, Math.min(9.5, 4.5 + (zoom - 8) * 0.95));
  return count > CROWD ? Math.max(4.2, near * 0.8) : near;
}

function link(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
