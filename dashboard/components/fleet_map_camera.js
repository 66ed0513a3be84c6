/* Where the map looks: a region, a driver brought into view, a driver followed. */

const CLOSE = 14;
const NEAR = 13;

export class Camera {
  /* `padding` is what lies over the map's edges; `reduced` the reduced-motion query; `told` hears of follow. */
  constructor(map, padding, reduced, told) {
    this.map = map;
    this.padding = padding ?? {};
    this.reduced = reduced;
    this.told = told;
    this.following = false;
    map.on("dragstart", () => this.follow(false));
    map.on("zoom", (event) => {
      if (event.originalEvent) this.zoom = map.getZoom();
    });
  }

  /* From the middle of the map to the middle of what is free of panels. */
  get offset() {
    const { left = 0, right = 0, top = 0, bottom = 0 } = this.padding;
    return [(left - right) / 2, (top - bottom) / 2];
  }

  ease(options) {
    this.map.easeTo({ animate: !this.reduced.matches, ...options });
  }

  fit(bounds, moving = true) {
    this.map.fitBounds(bounds, {
      padding: this.padding, maxZoom: NEAR, animate: moving && !this.reduced.matches, duration: 600,
    });
  }

  zoomBy(steps) {
    this.zoom = (this.following ? this.zoom : this.map.getZoom()) + steps;
    this.ease({ zoom: this.zoom, duration: 250 });
  }

  /* Move so that a place is seen, if it is not, clear of what lies over the map. */
  reveal({ lon, lat }) {
    const { left = 0, right = 0, top = 0, bottom = 0 } = this.padding;
    const at = this.map.project([lon, lat]);
    const { clientWidth, clientHeight } = this.map.getContainer();
    const seen = at.x > left && at.x < clientWidth - right && at.y > top && at.y < clientHeight - bottom;
    if (seen) return;
    this.ease({
      center: [lon, lat], zoom: Math.max(this.map.getZoom(), NEAR), offset: this.offset, duration: 600,
    });
  }

  /* Begin or end following; whoever calls then keeps the camera on the driver with `keep`. */
  follow(on) {
    if (this.following === on) return;
    this.following = on;
    this.fresh = on;
    this.zoom = Math.max(this.map.getZoom(), CLOSE);
    this.told?.(on);
  }

  /* Keep a followed place in the middle: one straight glide a tick, as long as the tick. */
  keep({ lon, lat }, moving, tickMs) {
    if (!this.following) return;
    const { fresh } = this;
    this.fresh = false;
    if (!fresh && !moving && !this.map.isMoving() && this.map.getZoom() === this.zoom) return;
    this.ease({
      center: [lon, lat], zoom: this.zoom, offset: this.offset, duration: fresh ? 700 : tickMs,
      easing: fresh ? (t) => t * (2 - t) : (t) => t,
    });
  }
}
