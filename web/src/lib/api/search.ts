/** Searching and counting. */

import type { Counted, Exclude, Group, SearchResponse, Status, Target } from "../types.ts";
import { get, post, request } from "./client.ts";

export const getStatus = (signal?: AbortSignal): Promise<Status> => get("status", signal);

/** The body of a search; what is left out is as the server has it. */
export interface SearchBody {
  text?: string;
  /** Keys of studies to be like, and unlike. */
  like?: string[];
  unlike?: string[];
  to: Target;
  k: number;
  after?: string;
  filter?: string;
  group?: Group;
  exclude?: Exclude;
  cut?: boolean;
  explain?: boolean;
}

export const searchWords = (body: SearchBody, signal: AbortSignal): Promise<SearchResponse> =>
  post("search", body, signal);

/** Searches with films, and whatever else the body says. */
export function searchFilms(films: Blob[], body: SearchBody, signal: AbortSignal): Promise<SearchResponse> {
  const form = new FormData();
  form.append("query", JSON.stringify(body));
  // The name of a file can be a patient's: it stays here.
  films.forEach((film, at) => form.append("film", film, `film-${at + 1}`));
  return request("search/films", { method: "POST", body: form, signal });
}

/** Studies like one of the archive. */
export const searchSimilar = (
  key: string,
  { to, k, filter, cut, explain, exclude }: SearchBody,
  signal: AbortSignal,
): Promise<SearchResponse> =>
  post(`studies/${encodeURIComponent(key)}/similar`, { to, k, filter, cut, explain, exclude }, signal);

export interface FacetsBody {
  text?: string;
  filter?: string;
  to?: Target;
  fields?: string[];
  top?: number;
  group?: Group;
}

export const countFacets = (body: FacetsBody, signal: AbortSignal): Promise<Counted> => post("facets", body, signal);
