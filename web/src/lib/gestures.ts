/** Pointers on a film: one uses the tool, two pinch and pan, the middle button pans, the right one zooms. */

export type Tool = "window" | "pan";

interface Handlers {
  tool: () => Tool;
  pan: (x: number, y: number) => void;
  window: (x: number, y: number) => void;
  zoom: (factor: number, at: { clientX: number; clientY: number }) => void;
}

interface Held {
  x: number;
  y: number;
  button: number;
}

/** Dragging up by this many pixels doubles the size. */
const doubling = 160;

export class PointerGestures {
  readonly #handlers: Handlers;
  readonly #pointers = new Map<number, Held>();

  constructor(handlers: Handlers) {
    this.#handlers = handlers;
  }

  /** Listens on `node` until the returned function is called. */
  readonly attach = (node: HTMLElement): (() => void) => {
    const stop = new AbortController();
    const options = { signal: stop.signal };
    node.addEventListener("pointerdown", (event) => this.#down(node, event), options);
    node.addEventListener("pointermove", (event) => this.#move(event), options);
    node.addEventListener("contextmenu", (event) => event.preventDefault(), options);
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
      node.addEventListener(end, (event) => this.#pointers.delete(event.pointerId), options);
    }
    return () => stop.abort();
  };

  #down(node: HTMLElement, event: PointerEvent): void {
    if (event.button > 2 || (event.target instanceof HTMLElement && event.target.closest("button"))) return;
    // The middle button would start the browser's own scrolling.
    if (event.button === 1) event.preventDefault();
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, button: event.button });
    node.setPointerCapture(event.pointerId);
  }

  #move(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = { ...before, x: event.clientX, y: event.clientY };
    const [x, y] = [now.x - before.x, now.y - before.y];
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    if (other) {
      const spread = distance(before, other);
      if (spread > 0) this.#handlers.zoom(distance(now, other) / spread, event);
      // Each finger moves the middle by half of its way.
      this.#handlers.pan(x / 2, y / 2);
    } else if (before.button === 2) {
      this.#handlers.zoom(2 ** (-y / doubling), event);
    } else if (before.button === 1 || this.#handlers.tool() === "pan") {
      this.#handlers.pan(x, y);
    } else {
      this.#handlers.window(x, y);
    }
  }
}

const distance = (a: Held, b: Held): number => Math.hypot(a.x - b.x, a.y - b.y);
