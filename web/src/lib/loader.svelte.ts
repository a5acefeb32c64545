/** One request at a time, and the state that a view shows of it. */

import { ApiError, isAbort } from "./api/client.ts";

export type State = "idle" | "loading" | "done" | "failed";

/** After this long without an answer the page says that it is still working. */
const slowAfterMs = 1000;

/** Holds the latest answer of one kind of request. A new request calls off the one before. */
export class Loader<T> {
  state: State = $state("idle");
  slow = $state(false);
  value: T | null = $state.raw(null);
  error: ApiError | null = $state.raw(null);
  #controller: AbortController | null = null;

  /** Runs `send`; returns its value, or `null` where it failed or was called off. */
  async run(send: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    this.state = "loading";
    this.slow = false;
    this.error = null;
    const timer = setTimeout(() => {
      if (this.#controller === controller) this.slow = true;
    }, slowAfterMs);
    try {
      const value = await send(controller.signal);
      if (this.#controller !== controller) return null;
      this.value = value;
      this.state = "done";
      return value;
    } catch (error) {
      if (this.#controller !== controller || isAbort(error)) return null;
      this.value = null;
      this.error =
        error instanceof ApiError ? error : new ApiError("Something in the page went wrong.", "page", "service");
      this.state = "failed";
      return null;
    } finally {
      clearTimeout(timer);
      if (this.#controller === controller) this.slow = false;
    }
  }

  /** Calls off what is under way and goes back to what was shown before, if anything. */
  cancel(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.slow = false;
    if (this.state === "loading") this.state = this.value === null ? "idle" : "done";
  }

  /** Forgets everything. */
  reset(): void {
    this.cancel();
    this.value = null;
    this.error = null;
    this.state = "idle";
  }
}
