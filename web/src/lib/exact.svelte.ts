/**
 * A narrow window made by the server. A browser shows 8 of the bits that a film may have 16 of: where few values are spread over
 * the whole range, only the server has the values between.
 */

import type { Window } from "./window.ts";

/** Windows of at least this width show no steps that an eye could see. */
export const narrow = 0.5;

/** The window has to rest for so long before it is asked for. */
const restMs = 250;

export class ExactWindow {
  /** Address of the picture that is loaded and can be shown. */
  ready: string | null = $state(null);
  #wanted: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks for a window of a film; `null` where the browser's own will do. */
  want(address: string | null): void {
    if (address === this.#wanted) return;
    this.#wanted = address;
    this.ready = null;
    clearTimeout(this.#timer);
    if (address !== null) this.#timer = setTimeout(() => void this.#load(address), restMs);
  }

  async #load(address: string): Promise<void> {
    const picture = new Image();
    picture.src = address;
    try {
      await picture.decode();
    } catch {
      // The browser's own window stays.
      return;
    }
    if (this.#wanted === address) this.ready = address;
  }
}

/** The window to ask the server for, where it has to be asked. */
export const exactly = ({ center, width }: Window): { center: string; width: string } | null =>
  width < narrow ? { center: center.toFixed(3), width: width.toFixed(3) } : null;
