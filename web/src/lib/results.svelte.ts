/** A list of results that grows page by page. */

import { ApiError, isAbort } from "./api/client.ts";
import { Loader, type State } from "./loader.svelte.ts";
import type { SearchResponse } from "./types.ts";

export class ResultList extends Loader<SearchResponse> {
  more: State = $state("idle");
  moreError: ApiError | null = $state.raw(null);
  #page: AbortController | null = null;

  override run(send: (signal: AbortSignal) => Promise<SearchResponse>): Promise<SearchResponse | null> {
    this.#stop();
    return super.run(send);
  }

  override reset(): void {
    this.#stop();
    super.reset();
  }

  /** Appends the page that `send` asks for; returns how many results came, or `null` where it failed. */
  async extend(send: (after: string, signal: AbortSignal) => Promise<SearchResponse>): Promise<number | null> {
    const before = this.value;
    if (!before?.page.next || this.more === "loading") return null;
    const controller = new AbortController();
    this.#page = controller;
    this.more = "loading";
    this.moreError = null;
    try {
      const page = await send(before.page.next, controller.signal);
      if (this.#page !== controller) return null;
      this.value = { ...before, page: { ...before.page, next: page.page.next }, results: [...before.results, ...page.results] };
      this.more = "done";
      return page.results.length;
    } catch (error) {
      if (this.#page !== controller || isAbort(error)) return null;
      this.moreError = error instanceof ApiError ? error : new ApiError("Something in the page went wrong.", "page", "service");
      this.more = "failed";
      return null;
    }
  }

  #stop(): void {
    this.#page?.abort();
    this.#page = null;
    this.more = "idle";
    this.moreError = null;
  }
}
