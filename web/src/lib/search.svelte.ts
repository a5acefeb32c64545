/** The search that the page shows: what was asked, and the answers. Lives as long as the page, so that "back" finds it as it was. */

import { getFilm, searchImage, searchText, type SearchOptions } from "./api.ts";
import { announce } from "./announce.svelte.ts";
import { sniff } from "./files.ts";
import { count } from "./format.ts";
import { Loader } from "./loader.svelte.ts";
import type { SearchResponse, Target } from "./types.ts";

/** A query that was sent: words, or a film with an address to show it by. */
export type Query = { kind: "text"; text: string } | { kind: "film"; film: Blob; address: string; name: string };

export const resultCounts = [12, 24, 48, 96];

class Search {
  text = $state("");
  filter = $state("");
  to: Target = $state("images");
  k = $state(24);

  query: Query | null = $state.raw(null);
  /** Why a dropped or pasted file was not searched with. */
  refusal: string | null = $state(null);
  readonly images = new Loader<SearchResponse>();
  readonly reports = new Loader<SearchResponse>();

  /** The studies of the list from which one was opened, for "next" and "previous". */
  trail: string[] = $state.raw([]);
  /** The result to return to, and how far the page was scrolled. */
  opened: { key: string; target: Target; scroll: number } | null = null;

  slot(target: Target): Loader<SearchResponse> {
    return target === "images" ? this.images : this.reports;
  }

  /** The answer whose reading of the query is shown. */
  get response(): SearchResponse | null {
    const slot = this.slot(this.to);
    return slot.state === "done" ? slot.value : null;
  }

  /** True where the last answer refused the filter. */
  get filterRefused(): boolean {
    return [this.images.error, this.reports.error].some((error) => error?.aboutFilter ?? false);
  }

  submitText(): void {
    const text = this.text.trim();
    if (text === "") return;
    this.#ask({ kind: "text", text });
  }

  /** Searches with a file that the user dropped, pasted or chose. */
  async submitFile(file: File): Promise<void> {
    const sniffed = await sniff(file);
    if ("refusal" in sniffed) {
      this.refusal = sniffed.refusal;
      return;
    }
    this.submitFilm(sniffed.film, file.name);
  }

  submitFilm(film: Blob, name: string): void {
    this.#ask({ kind: "film", film, address: URL.createObjectURL(film), name });
  }

  /** Searches with a film of the archive. */
  async submitArchived(key: string, name: string, signal: AbortSignal): Promise<void> {
    this.submitFilm(await getFilm(key, signal), name);
  }

  /** Runs the query again: after a failure, or with another filter, number or target. */
  rerun(): void {
    if (this.query) this.#run(this.query);
  }

  setTarget(to: Target): void {
    this.to = to;
    if (this.query?.kind === "text") this.rerun();
  }

  setCount(k: number): void {
    this.k = k;
    this.rerun();
  }

  /** Back to the empty page. */
  clear(): void {
    this.#forget();
    this.text = "";
    this.images.reset();
    this.reports.reset();
  }

  #ask(query: Query): void {
    this.#forget();
    this.query = query;
    if (query.kind === "film") this.text = "";
    this.#run(query);
  }

  #forget(): void {
    if (this.query?.kind === "film") URL.revokeObjectURL(this.query.address);
    this.query = null;
    this.refusal = null;
    this.trail = [];
    this.opened = null;
  }

  #run(query: Query): void {
    if (query.kind === "film") {
      void this.#send(query, "images");
      void this.#send(query, "reports");
    } else {
      this.slot(this.to === "images" ? "reports" : "images").reset();
      void this.#send(query, this.to);
    }
  }

  async #send(query: Query, to: Target): Promise<void> {
    const options: SearchOptions = { to, k: this.k, filter: this.filter.trim() };
    const slot = this.slot(to);
    const answer = await slot.run((signal) =>
      query.kind === "text" ? searchText(query.text, options, signal) : searchImage(query.film, options, signal),
    );
    if (answer) announce(`${count(answer.results.length, to === "images" ? "film" : "report")} found.`);
  }
}

export const search = new Search();
