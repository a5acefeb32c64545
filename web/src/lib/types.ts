/** The shapes of the HTTP API, as the server sends them. */

export type Target = "images" | "reports";
/** What one result is. */
export type Group = "study" | "patient";
/** What of the query's own films and studies is left out. */
export type Exclude = "none" | "study" | "patient";
export type Polarity = "present" | "absent" | "uncertain";
export type Side = "left" | "right" | "bilateral";
export type Severity = "mild" | "moderate" | "severe";
/** Who gave a label: the phantom's own truth, the data set, or the labeler that read the report. */
export type Origin = "truth" | "dataset" | "labeler";

export interface Status {
  version: string;
  studies: number;
  images: number;
  sentences: number;
  model: { name: string; fingerprint: string; dimension: number } | null;
  generation: number | null;
  notice: string;
}

/** What is said of one observation. */
export interface Statement {
  observation: string;
  polarity: Polarity;
  side: Side | null;
  severity: Severity | null;
}

/** A finding that was read out of the query, with the words that it was read from. */
export interface Understood extends Statement {
  phrase: string;
}

/** A finding of a study, with its source. */
export interface Finding extends Statement {
  origin: Origin;
}

export interface FilmRef {
  id: string;
  key: string;
  width: number;
  height: number;
}

/** A value for each place of a film: how near it is to the words of a query. */
export interface HeatMap {
  rows: number;
  columns: number;
  values: number[];
  /** Width and height of the film. */
  film: [number, number];
  /** What the grid covers, in pixels of the film: left, top, side. It reaches beyond a film that is not square. */
  square: [number, number, number];
}

export interface Mapped {
  map: HeatMap;
  range: [number, number];
  peak: { x: number; y: number; words: string };
  /** What to keep in mind. */
  caution: string;
  notice: string;
}

export interface Component {
  rank: number;
  score: number;
}

/** How one film stands among the archive's. */
export interface Standings {
  films: number;
  /** `above`: share of the films that score lower. Not a probability. */
  findings: { finding: string; above: number }[];
  notice: string;
}

export interface Component {
  rank: number;
  score: number;
}

export interface Components {
  image: Component | null;
  sentence: Component | null;
  keyword: Component | null;
  stated: Component | null;
  zero_shot: Component | null;
  feedback: Component | null;
  /** Reciprocal rank fusion of these. */
  fused: number;
  /** Agreement of what is stated with what is wanted, from -1 to 1. */
  findings: number;
}

/** Where a score comes from. */
export interface Explained {
  rankings: { source: string; rank: number; score: number; weight: number; gives: number; part: string }[];
  findings: (Understood & { said: string; agreement: number; film_above: number | null; words: string })[];
  notes: string[];
}

/** What is known of a study besides its films and reports. */
export interface StudyFacts {
  study: string;
  key: string;
  source: string;
  patient: string;
  date: string | null;
  offset: number | null;
  age: number | null;
  sex: "F" | "M" | null;
}

/** A sentence of a report; the marks are places of characters (Unicode scalar values). */
export interface Snippet {
  text: string;
  marks: [number, number][];
}

export interface SearchResult extends StudyFacts {
  rank: number;
  view: string | null;
  image: FilmRef | null;
  score: number;
  components: Components;
  findings: Finding[];
  snippet: Snippet | null;
  /** False for the tail that every query has. */
  relevant: boolean;
  /** The patient's other studies, where results are patients. */
  others?: { study: string; key: string }[];
  explain?: Explained;
}

export interface SearchResponse {
  query: {
    text: string | null;
    to: Target;
    k: number;
    filter: string | null;
    understood: Understood[];
    group: Group;
  };
  took_ms: number;
  warning: string | null;
  page: {
    generation: number;
    offset: number;
    /** Studies that pass the filter: exact. */
    total: number;
    /** Those that are stated to show what the query excludes. */
    excluded: number;
    /** Those that belong to what the query means. */
    relevant: number;
    patients?: number;
    next: string | null;
  };
  withheld?: { study: string; key: string; why: string }[];
  results: SearchResult[];
}

export interface Study extends StudyFacts {
  images: (FilmRef & { view: string | null })[];
  reports: { sections: { name: string; text: string }[] }[];
  labels: { origin: Origin; labels: Record<string, Polarity>; other?: string[] }[];
}

/** A study of the patient's time line. */
export interface TimelineStudy {
  key: string;
  date: string | null;
  offset: number | null;
  age: number | null;
  view: string | null;
  /** Keys of its films. */
  images: string[];
  findings: Finding[];
  this: boolean;
}

export interface Timeline {
  studies: TimelineStudy[];
}

export type FacetKind = "words" | "numbers" | "dates";

/** The values of a field among what passes, counted exactly. */
export interface Facet {
  field: string;
  kind: FacetKind;
  /** What stands behind the colon in a filter, but for quotation marks. */
  values: { value: string; count: number }[];
  /** Have a value that is not listed. */
  others: number;
  with: number;
  without: number;
}

export interface Counted {
  total: number;
  facets: Facet[];
}
