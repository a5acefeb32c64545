/** Dragging with one pointer pans, two pointers pinch. */

interface Handlers {
  pan: (x: number, y: number) => void;
  zoom: (factor: number, at: PointerEvent) => void;
}

interface Point {
  x: number;
  y: number;
}

export class PointerGestures {
  readonly #handlers: Handlers;
  readonly #pointers = new Map<number, Point>();

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  /** Listens on `node` until the returned function is called. */
  readonly attach = (node: HTMLElement): (() => void) => {
    const stop = new AbortController();
    const options = { signal: stop.signal };
    node.addEventListener("pointerdown", (event) => this.#down(node, event), options);
    node.addEventListener("pointermove", (event) => this.#move(event), options);
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
      node.addEventListener(end, (event) => this.#pointers.delete(event.pointerId), options);
    }
    return () => stop.abort();
  };

  #down(node: HTMLElement, event: PointerEvent): void {
    if (event.button !== 0 || (event.target instanceof HTMLElement && event.target.closest("button"))) return;
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    node.setPointerCapture(event.pointerId);
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (!other) {
      this.#handlers.pan(now.x - before.x, now.y - before.y);
      return;
    }
    const spread = distance(before, other);
    if (spread > 0) this.#handlers.zoom(distance(now, other) / spread, event);
  }
}

const distance = (a: Point, b: Point): number => Math.hypot(a.x - b.x, a.y - b.y);
