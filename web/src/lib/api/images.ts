/** Films. */

import type { Mapped, Standings } from "../types.ts";
import { base, get, part, post, send } from "./client.ts";

/** The film as it was imported. */
export const filmAddress = (key: string): string => `${base}/images/${part(key)}`;

/** A JPEG of the film, longest side 320 pixels. */
export const thumbnailAddress = (key: string): string => `${filmAddress(key)}/thumbnail`;

/** A window of the film, made of all bits that it has; center and width are shares of the full range. */
export const windowAddress = (key: string, center: string, width: string): string =>
  `${filmAddress(key)}/window?center=${center}&width=${width}`;

/** Where the words of a query lie on a film. */
export const getHeatMap = (key: string, text: string, signal: AbortSignal): Promise<Mapped> =>
  post(`images/${part(key)}/heatmap`, { text }, signal);

/** How the film stands among the films of the archive. */
export const getStandings = (key: string, signal: AbortSignal): Promise<Standings> =>
  get(`images/${part(key)}/findings`, signal);

/** The bytes of a film, to search with. */
export async function getFilm(key: string, signal: AbortSignal): Promise<Blob> {
  const response = await send(filmAddress(key), { signal });
  return response.blob();
}
