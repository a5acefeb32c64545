/** The current route as state, and moving between routes. */

import { parseRoute, searchAddress, studyAddress, type Route } from "./router.ts";

class Navigation {
  route: Route = $state.raw(parseRoute(location.hash));
  /** True once a study was opened from within the page, so that "back" has somewhere to go. */
  #inside = false;

  constructor() {
    addEventListener("hashchange", () => {
      this.route = parseRoute(location.hash);
    });
  }

  /** Notes that a link within the page is being followed. */
  entered(): void {
    this.#inside = true;
  }

  /** Shows another study in place of this one: "back" still leads to the results. */
  replaceStudy(key: string): void {
    location.replace(studyAddress(key));
  }

  /** Leaves a study for the results. */
  back(): void {
    if (this.#inside) {
      this.#inside = false;
      history.back();
    } else {
      location.replace(searchAddress);
    }
  }

  /** To the search, as a new step in the history. */
  toSearch(): void {
    if (this.route.view !== "search") location.hash = searchAddress;
  }
}

export const navigation = new Navigation();
