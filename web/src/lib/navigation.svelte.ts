/** The current route as state, and moving between routes. */

import { parseRoute, studyAddress, type Route } from "./router.ts";

/** What an entry of the history holds. */
interface Entry {
  /** The number of a search. */
  search?: number;
  /** Entries of this page before it: where there are some, "back" has somewhere to go. */
  depth: number;
}

class Navigation {
  route: Route = $state.raw(parseRoute(location.hash));
  /** Asks for the search of an entry that the browser went back or forward to. */
  onsearch: (number: number) => void = () => undefined;
  /** Address and number of the search that is in memory. */
  #search = { address: "#/", number: 0 };
  #depth = this.#state?.depth ?? 0;

  constructor() {
    if (this.#state === null) history.replaceState({ depth: 0 } satisfies Entry, "");
    addEventListener("popstate", () => this.#arrived());
  }

  get #state(): Entry | null {
    return history.state as Entry | null;
  }

  /** The number of the search that this entry of the history holds. */
  get entry(): number | null {
    return this.#state?.search ?? null;
  }

  /** The browser followed a link, or went back or forward. */
  #arrived(): void {
    // The entry that a link makes has no state.
    const entry = this.#state ?? { depth: this.#depth + 1 };
    this.#depth = entry.depth;
    this.route = parseRoute(location.hash);
    if (this.route.view !== "search") {
      history.replaceState(entry, "");
      return;
    }
    // A link to the search leads to the one in memory; the browser's back leads to the one of that entry.
    if (entry.search === undefined) history.replaceState({ ...entry, search: this.#search.number }, "", this.#search.address);
    else if (entry.search !== this.#search.number) this.onsearch(entry.search);
    this.route = parseRoute(location.hash);
  }

  /** A search was made: a step in the history. */
  searched(number: number, address: string): void {
    this.#search = { address, number };
    this.#depth += 1;
    history.pushState({ search: number, depth: this.#depth } satisfies Entry, "", address);
    this.route = parseRoute(location.hash);
  }

  /** The search in memory has another address, or was found again: no step in the history. */
  settle(number: number, address: string): void {
    this.#search = { address, number };
    if (this.route.view !== "search") return;
    history.replaceState({ search: number, depth: this.#depth } satisfies Entry, "", address);
    this.route = parseRoute(location.hash);
  }

  /** Shows another study in place of this one: "back" still leads to the results. */
  replaceStudy(key: string): void {
    history.replaceState({ depth: this.#depth } satisfies Entry, "", studyAddress(key));
    this.route = parseRoute(location.hash);
  }

  /** To a view, as a new step in the history. */
  to(address: string): void {
    if (location.hash !== address) location.hash = address;
  }

  /** Leaves a study for what led to it, or for the search where its address was opened by itself. */
  back(): void {
    if (this.#depth > 0) history.back();
    else this.toSearch();
  }

  /** To the search in memory. */
  toSearch(): void {
    if (this.route.view !== "search") this.searched(this.#search.number, this.#search.address);
  }
}

export const navigation = new Navigation();
