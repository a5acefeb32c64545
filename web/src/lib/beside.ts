/** The films that can be shown beside a film. */

import { filmAddress, thumbnailAddress } from "./api/images.ts";
import { timeText, viewName } from "./format.ts";
import type { QueryFilm, Picked } from "./query.ts";
import type { Study, TimelineStudy } from "./types.ts";
import type { FilmSource } from "./viewer.svelte.ts";

export interface Choice {
  /** Tells the choices apart. */
  id: string;
  source: FilmSource;
}

const archived = (key: string, label: string): FilmSource => ({
  address: filmAddress(key),
  preview: thumbnailAddress(key),
  key,
  // Known once it is loaded.
  size: { width: 1, height: 1 },
  alt: label,
  label,
});

/** What was searched with first, then the patient's other studies, newest first, then the study's other films. */
export function choices(
  study: Study,
  shown: number,
  timeline: TimelineStudy[],
  asked: { films: QueryFilm[]; study: Picked | null },
): Choice[] {
  const films = asked.films.map((film, at): Choice => {
    const label = asked.films.length > 1 ? `Query film ${at + 1}` : "Query film";
    return { id: film.address, source: { address: film.address, size: { width: 1, height: 1 }, alt: label, label } };
  });
  const picked =
    asked.study?.image && asked.study.key !== study.key
      ? [{ id: asked.study.image, source: archived(asked.study.image, "Film that was searched with") }]
      : [];
  const others = timeline
    .filter((one) => !one.this)
    .reverse()
    .flatMap((one) => one.images.map((key, at) => ({ id: key, source: archived(key, priorLabel(one, at)) })));
  const own = study.images
    .map((image, at) => ({ image, at }))
    .filter(({ at }) => at !== shown)
    .map(({ image, at }) => ({ id: image.key, source: archived(image.key, `This study: ${viewName(image.view) ?? `film ${at + 1}`}`) }));
  const all = [...films, ...picked, ...others, ...own];
  return all.filter((choice, place) => all.findIndex(({ id }) => id === choice.id) === place);
}

function priorLabel(study: TimelineStudy, at: number): string {
  const when = timeText(study) ?? "another study";
  return study.images.length > 1 ? `${when}, film ${at + 1}` : when;
}

/** The words that a heat map can be of: those of the query, and what the study is stated to show. */
export function heatTexts(query: string, study: Study): string[] {
  const present = study.labels.flatMap(({ labels }) =>
    Object.entries(labels)
      .filter(([observation, polarity]) => polarity === "present" && observation !== "No Finding")
      .map(([observation]) => observation.toLowerCase()),
  );
  return [...new Set([...(query === "" ? [] : [query]), ...present])];
}
