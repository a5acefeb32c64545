/** The search that the page shows: what was asked, and the answers. Lives as long as the page, so that "back" finds it as it was. */

import { announce } from "./announce.svelte.ts";
import { searchFilms, searchWords, type SearchBody } from "./api/search.ts";
import { sniff } from "./files.ts";
import { count } from "./format.ts";
import { navigation } from "./navigation.svelte.ts";
import type { Picked, QueryFilm } from "./query.ts";
import { ResultList } from "./results.svelte.ts";
import { searchAddress, usual, type Settings } from "./router.ts";
import { nothing, Searches, tabShelf, type Asked } from "./searches.ts";
import type { SearchResponse, Snippet, Target } from "./types.ts";

/** Most films of one search, as the server has it. */
const mostFilms = 20;

class Search {
  /** As it stands in the fields; what was sent is `asked`. */
  text = $state("");
  filter = $state("");
  settings: Settings = $state.raw(navigation.route.view === "search" ? navigation.route.settings : usual);

  asked: Asked = $state.raw(nothing);
  /** Studies that the next search is to be like, and unlike. */
  liked: Picked[] = $state.raw([]);
  unliked: Picked[] = $state.raw([]);
  /** Why a dropped or pasted file was not searched with. */
  refusal: string | null = $state(null);
  readonly images = new ResultList();
  readonly reports = new ResultList();

  /** The studies of the list from which one was opened, for "next" and "previous". */
  trail: string[] = $state.raw([]);
  /** The sentence that matched, for each study of that list. */
  snippets: ReadonlyMap<string, Snippet> = new Map();
  /** The result to return to, and how far the page was scrolled. */
  opened: { key: string; target: Target; scroll: number } | null = null;

  readonly #searches = new Searches(tabShelf);
  #number = 0;

  constructor() {
    navigation.onsearch = (number) => this.#recall(number);
  }

  /** The search of the entry that the browser opened, after a reload; else an empty one. */
  start(): void {
    const number = navigation.entry;
    if (number !== null && this.#searches.get(number)) this.#recall(number);
    else {
      this.#number = this.#searches.add(nothing);
      navigation.settle(this.#number, this.address);
    }
  }

  get address(): string {
    return searchAddress(this.settings);
  }

  get to(): Target {
    return this.settings.to;
  }

  /** True where the query has a picture: then films and reports are both looked for. */
  get pictured(): boolean {
    return this.asked.films.length > 0 || this.asked.study !== null;
  }

  slot(target: Target): ResultList {
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

  /** True where likes were given that the results do not know yet. */
  get refinable(): boolean {
    const keys = (all: Picked[]): string => all.map(({ key }) => key).join();
    return keys(this.liked) !== keys(this.asked.liked) || keys(this.unliked) !== keys(this.asked.unliked);
  }

  /** Searches with what stands in the fields, and with the films or the study that are there. */
  submit(): void {
    const text = this.text.trim();
    if (text === "" && !this.pictured && this.liked.length === 0) return;
    this.#ask({ ...this.asked, text, filter: this.filter.trim(), liked: this.liked, unliked: this.unliked });
  }

  submitText(text: string): void {
    this.text = text;
    this.liked = [];
    this.unliked = [];
    this.#ask({ ...nothing, text: text.trim(), filter: this.filter.trim() });
  }

  /** Searches with files that the user dropped, pasted or chose: in place of what was asked, or beside it. */
  async submitFiles(files: File[], beside = false): Promise<void> {
    const sniffed = await Promise.all(files.slice(0, mostFilms).map(async (file) => ({ file, result: await sniff(file) })));
    const films: QueryFilm[] = [];
    for (const { file, result } of sniffed) {
      if ("refusal" in result) {
        films.forEach(({ address }) => URL.revokeObjectURL(address));
        this.refusal = result.refusal;
        return;
      }
      films.push({ blob: result.film, address: URL.createObjectURL(result.film), name: file.name });
    }
    if (beside) this.#ask({ ...this.asked, films: [...this.asked.films, ...films].slice(0, mostFilms) });
    else this.#fresh({ ...nothing, films });
  }

  removeFilm(at: number): void {
    const films = this.asked.films.filter((_, place) => place !== at);
    if (films.length === 0 && this.asked.text === "") this.clear();
    else this.#ask({ ...this.asked, films });
  }

  /** Searches for studies like one of the archive, and not of its patient. */
  submitStudy(study: Picked): void {
    this.#fresh({ ...nothing, study });
  }

  /** Runs the query again, after a failure. */
  rerun(): void {
    if (this.asked.sent) this.#run();
  }

  /** Searches with another filter. */
  setFilter(filter: string): void {
    this.filter = filter;
    if (this.asked.sent) this.#ask({ ...this.asked, filter: filter.trim() });
  }

  set(change: Partial<Settings>): void {
    const before = this.settings;
    this.settings = { ...before, ...change };
    navigation.settle(this.#number, this.address);
    // With a picture both lists are there already.
    if (this.asked.sent && !(this.pictured && this.settings.to !== before.to)) this.#run();
  }

  /** Likes, dislikes or takes it back. The results change when the search is run again. */
  judge(study: Picked, verdict: "like" | "unlike"): void {
    const has = (all: Picked[]): boolean => all.some(({ key }) => key === study.key);
    const without = (all: Picked[]): Picked[] => all.filter(({ key }) => key !== study.key);
    const [liked, unliked] = [has(this.liked), has(this.unliked)];
    this.liked = verdict === "like" && !liked ? [...this.liked, study] : without(this.liked);
    this.unliked = verdict === "unlike" && !unliked ? [...this.unliked, study] : without(this.unliked);
  }

  /** Back to the empty page. */
  clear(): void {
    this.text = "";
    this.#fresh(nothing);
  }

  /** Forgets all searches of this tab. */
  forget(): void {
    this.#searches.clear();
    this.#take(nothing);
    this.filter = "";
    this.#reset();
    this.#number = this.#searches.add(nothing);
    navigation.settle(this.#number, this.address);
  }

  /** Appends the next page. */
  async more(target: Target): Promise<void> {
    const { films } = this.asked;
    const got = await this.slot(target).extend((after, signal) => {
      const body = { ...this.#body(target), after };
      return films.length > 0 ? searchFilms(films.map(({ blob }) => blob), body, signal) : searchWords(body, signal);
    });
    if (got !== null) announce(`${got} more.`);
  }

  /** A search with nothing of the one before, but its filter. */
  #fresh(asked: Asked): void {
    this.text = asked.text;
    this.liked = [];
    this.unliked = [];
    this.#ask({ ...asked, filter: this.filter.trim(), liked: [], unliked: [] });
  }

  #ask(asked: Asked): void {
    const { text, films, study, liked } = asked;
    this.asked = { ...asked, sent: text !== "" || films.length > 0 || study !== null || liked.length > 0 };
    this.#number = this.#searches.add(this.asked);
    navigation.searched(this.#number, this.address);
    this.#run();
  }

  #recall(number: number): void {
    const asked = this.#searches.get(number) ?? nothing;
    this.#number = number;
    this.#take(asked);
    if (navigation.route.view === "search") this.settings = navigation.route.settings;
    navigation.settle(number, this.address);
    this.#run();
  }

  #take(asked: Asked): void {
    this.asked = asked;
    this.text = asked.text;
    this.filter = asked.filter;
    this.liked = asked.liked;
    this.unliked = asked.unliked;
  }

  #reset(): void {
    this.refusal = null;
    this.trail = [];
    this.opened = null;
    this.images.reset();
    this.reports.reset();
  }

  #run(): void {
    this.#reset();
    if (!this.asked.sent) return;
    const targets: Target[] = this.pictured ? ["images", "reports"] : [this.to];
    for (const target of targets) void this.#send(target);
  }

  #body(to: Target): SearchBody {
    const { text, filter, study, liked, unliked } = this.asked;
    const like = [...(study ? [study.key] : []), ...liked.map(({ key }) => key)];
    const { k, group, cut } = this.settings;
    return {
      to,
      k,
      group,
      explain: true,
      ...(cut ? { cut } : {}),
      ...(text === "" ? {} : { text }),
      ...(filter === "" ? {} : { filter }),
      ...(like.length === 0 ? {} : { like }),
      ...(unliked.length === 0 ? {} : { unlike: unliked.map(({ key }) => key) }),
      ...(study ? { exclude: "patient" as const } : {}),
    };
  }

  async #send(to: Target): Promise<void> {
    const { films } = this.asked;
    const body = this.#body(to);
    const answer = await this.slot(to).run((signal) =>
      films.length > 0 ? searchFilms(films.map(({ blob }) => blob), body, signal) : searchWords(body, signal),
    );
    if (answer) announce(`${count(answer.results.length, to === "images" ? "film" : "report")} found.`);
  }
}

export const search = new Search();
