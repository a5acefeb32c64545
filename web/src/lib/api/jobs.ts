/** Long commands of the keeper, and the models of the home. */

import { base, get, post, request } from "./client.ts";

export interface Job {
  job: number;
  command: string;
  state: "waiting" | "running" | "done";
  /** Where it is; none before the first stage. */
  stage: JobStage | null;
  notes: string[];
  /** Once it is done; not in lists. */
  outcome?: Outcome;
}

export interface JobStage {
  /** From 1. */
  number: number;
  what: string;
  /** Pieces, where that is known. */
  total: number | null;
  done: number;
  note: string;
}

export interface Outcome {
  result: string;
  notes: string[];
  fault: { message: string; kind: "caller" | "service" | "interrupted" } | null;
}

export type NewJob =
  | { kind: "index"; rebuild?: boolean; model?: string }
  | { kind: "import"; source: string; path: string };

export interface Model {
  name: string;
  /** It made the index that is served. */
  serving: boolean;
  /** It is taken where none is named. */
  default: boolean;
  /** It is part of the program. */
  built_in: boolean;
}

export const listJobs = (signal?: AbortSignal): Promise<{ jobs: Job[] }> => get("jobs", signal);

export const getJob = (id: number, signal?: AbortSignal): Promise<Job> => get(`jobs/${id}`, signal);

export const startJob = (job: NewJob): Promise<{ job: number }> => post("jobs", job);

export const stopJob = (id: number): Promise<void> => request(`jobs/${id}`, { method: "DELETE" });

export const listModels = (signal?: AbortSignal): Promise<{ models: Model[] }> => get("models", signal);

/** Tells of a job until it is done; returns how to stop listening. */
export function followJob(id: number, ontold: (job: Job) => void, onbroken: () => void): () => void {
  const source = new EventSource(`${base}/jobs/${id}/events`);
  const told = (event: MessageEvent<string>): void => ontold(JSON.parse(event.data) as Job);
  source.addEventListener("progress", told);
  source.addEventListener("done", (event) => {
    source.close();
    told(event);
  });
  source.addEventListener("error", () => {
    // A connection that is closed for good does not come back by itself.
    if (source.readyState === EventSource.CLOSED) onbroken();
  });
  return () => source.close();
}
