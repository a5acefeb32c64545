/** Films of the archive in two dimensions. */

import { get } from "./client.ts";

export interface FilmMap {
  generation: number;
  /** Films of the archive; the map may hold fewer. */
  total: number;
  /** Share of what tells the films apart that the two dimensions hold. */
  explained: number;
  /** Keys of films. */
  keys: string[];
  x: number[];
  y: number[];
  /** What each film's study is stated to show. */
  findings: string[][];
}

export const getMap = (limit: number, signal: AbortSignal): Promise<FilmMap> => get(`map?limit=${limit}`, signal);
