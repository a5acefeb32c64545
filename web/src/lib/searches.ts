/**
 * The searches of this tab, so that back, forward and reload find them. An entry of the history has a number; what was looked for
 * lies under it in the tab's own storage, which is gone with the tab and is emptied on signing out. Films are kept in memory only.
 */

import type { QueryFilm, Picked } from "./query.ts";

/** All that makes a search what it is, besides the settings in the address. */
export interface Asked {
  text: string;
  filter: string;
  films: QueryFilm[];
  /** The study that the results are to be like. */
  study: Picked | null;
  liked: Picked[];
  unliked: Picked[];
  /** False where nothing was searched for yet. */
  sent: boolean;
}

export const nothing: Asked = { text: "", filter: "", films: [], study: null, liked: [], unliked: [], sent: false };

/** A place to keep text in; the tab's storage, or a map in tests. */
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
  keys(): string[];
}

const prefix = "thorax-search-";
/** More than anybody goes back. */
const most = 50;

export class Searches {
  readonly #shelf: Shelf;
  /** With their films. */
  readonly #memory = new Map<number, Asked>();

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
  }

  /** Keeps a search and returns its number. */
  add(asked: Asked): number {
    const numbers = this.#numbers();
    const number = Math.max(0, ...numbers, ...this.#memory.keys()) + 1;
    for (const old of numbers.sort((a, b) => a - b).slice(0, Math.max(0, numbers.length - most))) this.#drop(old);
    this.set(number, asked);
    return number;
  }

  set(number: number, asked: Asked): void {
    this.#memory.set(number, asked);
    const { films, ...kept } = asked;
    // A search with films alone would come back as an empty one.
    if (films.length > 0) return;
    try {
      this.#shelf.setItem(prefix + number, JSON.stringify(kept));
    } catch {
      // Storage may be full or switched off: the search then lasts until the page is loaded again.
    }
  }

  get(number: number): Asked | null {
    const known = this.#memory.get(number);
    if (known) return known;
    try {
      const text = this.#shelf.getItem(prefix + number);
      return text === null ? null : { ...nothing, ...(JSON.parse(text) as Partial<Asked>), films: [] };
    } catch {
      return null;
    }
  }

  /** Forgets everything: somebody else may sit down here. */
  clear(): void {
    for (const number of this.#numbers()) this.#drop(number);
    for (const { films } of this.#memory.values()) films.forEach(({ address }) => URL.revokeObjectURL(address));
    this.#memory.clear();
  }

  #numbers(): number[] {
    try {
      return this.#shelf
        .keys()
        .filter((key) => key.startsWith(prefix))
        .map((key) => Number(key.slice(prefix.length)))
        .filter(Number.isInteger);
    } catch {
      return [];
    }
  }

  #drop(number: number): void {
    try {
      this.#shelf.removeItem(prefix + number);
    } catch {
      // Nothing was kept there.
    }
  }
}

/** The tab's own storage; every call fails where it is switched off. */
export const tabShelf: Shelf = {
  getItem: (key) => sessionStorage.getItem(key),
  setItem: (key, value) => sessionStorage.setItem(key, value),
  removeItem: (key) => sessionStorage.removeItem(key),
  keys: () => Object.keys(sessionStorage),
};
