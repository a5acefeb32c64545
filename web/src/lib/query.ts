/** What is searched for: words, films, studies, or several of these together. */

/** A film to search with, and an address to show it by. */
export interface QueryFilm {
  blob: Blob;
  address: string;
  name: string;
}

/** A study that was pointed at, with a film to show it by. */
export interface Picked {
  key: string;
  /** Key of its film. */
  image: string | null;
  /** What tells it from others for the eye. */
  label: string;
}
