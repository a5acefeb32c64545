/** The shapes of the HTTP API, as the server sends them. */

export type Target = "images" | "reports";
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

export interface Components {
  image: Component | null;
  sentence: Component | null;
  keyword: Component | null;
  /** Reciprocal rank fusion of these. */
  fused: number;
  /** Agreement of what is stated with what is wanted, from -1 to 1. */
  findings: number;
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

export interface SearchResult extends StudyFacts {
  rank: number;
  view: string | null;
  image: FilmRef | null;
  score: number;
  components: Components;
  findings: Finding[];
  sentence: string | null;
}

export interface SearchResponse {
  query: { text: string | null; to: Target; k: number; filter: string | null; understood: Understood[] };
  took_ms: number;
  warning: string | null;
  results: SearchResult[];
}

export interface Study extends StudyFacts {
  images: (FilmRef & { view: string | null })[];
  reports: { sections: { name: string; text: string }[] }[];
  labels: { origin: Origin; labels: Record<string, Polarity>; other?: string[] }[];
}
