/** Cohorts: named sets of studies. */

import type { Finding, Polarity, Target } from "../types.ts";
import { base, get, part, post, request } from "./client.ts";

export interface CohortHead {
  name: string;
  note: string | null;
  studies: number;
  revision: number;
  created: string;
  changed: string;
}

/** What is put in or taken out: studies, or what a search selects. */
export type Selection =
  | { studies: string[] }
  | { text?: string; filter?: string; to?: Target; take: { first: number } | { min_score: number } | "all" };

export interface CohortSummary {
  studies: number;
  gone: number;
  changed: number;
  films: number;
  reports: number;
  patients: number;
  /** How many patients have one study, two studies, and so on. */
  studies_per_patient: Record<string, number>;
  findings: Record<string, Record<Polarity, number>>;
  sex: Record<string, number>;
  age: Record<string, number>;
  source: Record<string, number>;
  dates: { first: string; last: string; studies: number } | null;
}

/** One change of a cohort: what was selected, and what it did to the set. */
export interface CohortStep {
  operation: "create" | "add" | "remove" | "union" | "intersect" | "minus";
  selection: StepSelection;
  pinned: { time: string; model?: { name: string }; generation?: { number: number } };
  selected: number;
  studies: number;
}

export type StepSelection =
  | { kind: "query"; text?: string; filter?: string; image?: unknown; to: Target; take: StepTake }
  | { kind: "ids"; count: number }
  | { kind: "cohort"; name: string; revision: number };

export type StepTake = "all_matching" | { first: number } | { min_score: number };

export interface Cohort extends CohortHead {
  steps: CohortStep[];
  summary: CohortSummary;
}

export interface CohortStudy {
  key: string;
  /** Numbers the patients of this page: the same number, the same patient. */
  patient: number;
  date: string | null;
  age: number | null;
  sex: "F" | "M" | null;
  /** Key of the first film. */
  image: string | null;
  findings: Finding[];
  rank: number | null;
}

export interface Verified {
  cohort: string;
  revision: number;
  same: boolean;
  studies: number;
  would_be: number;
  gone: string[];
  changed: string[];
  newly_matching: string[];
  no_longer_matching: string[];
  index_behind: number | null;
  rescored: number;
}

const at = (name: string, more = ""): string => `cohorts/${part(name)}${more}`;

export const listCohorts = (signal: AbortSignal): Promise<{ cohorts: CohortHead[] }> => get("cohorts", signal);

export const getCohort = (name: string, signal: AbortSignal): Promise<Cohort> => get(at(name), signal);

export const getCohortStudies = (
  name: string,
  offset: number,
  limit: number,
  signal: AbortSignal,
): Promise<{ total: number; studies: CohortStudy[] }> => get(at(name, `/studies?offset=${offset}&limit=${limit}`), signal);

export const createCohort = (name: string, note: string, select: Selection): Promise<CohortHead> =>
  post("cohorts", { name, ...(note === "" ? {} : { note }), select });

export const changeCohort = (name: string, change: "add" | "remove", select: Selection): Promise<CohortHead> =>
  post(at(name, `/${change}`), { select });

export type Combination = "union" | "intersect" | "minus";

export const combineCohort = (name: string, operation: Combination, other: string, into: string): Promise<CohortHead> =>
  post(at(name, "/combine"), { operation, with: other, ...(into === "" ? {} : { into }) });

export const verifyCohort = (name: string, signal: AbortSignal): Promise<Verified> => post(at(name, "/verify"), {}, signal);

export const deleteCohort = (name: string): Promise<void> => request(at(name), { method: "DELETE" });

/** Addresses of downloads: the browser streams them to a file by itself. */
export const exportAddress = (name: string, format: string): string => `${base}/${at(name, `/export?format=${format}`)}`;
export const embeddingsAddress = (name: string, which: "vectors" | "rows"): string =>
  `${base}/${at(name, `/embeddings?part=${which}`)}`;
