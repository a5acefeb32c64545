/** Studies. */

import type { Study, Timeline } from "../types.ts";
import { get, part } from "./client.ts";

export const getStudy = (key: string, signal: AbortSignal): Promise<Study> => get(`studies/${part(key)}`, signal);

/** All studies of the patient, oldest first. */
export const getTimeline = (key: string, signal: AbortSignal): Promise<Timeline> =>
  get(`studies/${part(key)}/timeline`, signal);
