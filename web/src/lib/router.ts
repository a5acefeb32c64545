/**
 * Reads and writes the address. It lies in the fragment, which is not sent to a server, and yet it ends up in histories, bookmarks
 * and messages: so it holds opaque keys, the names of cohorts, and those settings of a search that say nothing of what is looked
 * for. Query text and filter are kept for the tab alone (`searches.ts`).
 */

import type { Group, Target } from "./types.ts";

/** How results are shown. */
export interface Settings {
  to: Target;
  k: number;
  group: Group;
  /** Leave out the tail that the query does not mean. */
  cut: boolean;
}

export const resultCounts = [12, 24, 48, 96];

export const usual: Settings = { to: "images", k: 24, group: "study", cut: false };

export type Route =
  | { view: "search"; settings: Settings }
  | { view: "study"; key: string }
  | { view: "cohorts"; name: string | null }
  | { view: "map" }
  | { view: "keeper" }
  | { view: "api" };

export type View = Route["view"];

const studyPattern = /^#\/study\/([0-9A-Za-z_-]{1,128})$/;
const cohortPattern = /^#\/cohorts\/([0-9A-Za-z_.-]{1,200})$/;

export function parseRoute(hash: string): Route {
  const key = studyPattern.exec(hash)?.[1];
  if (key !== undefined) return { view: "study", key };
  const name = cohortPattern.exec(hash)?.[1];
  if (name !== undefined) return { view: "cohorts", name };
  if (hash === "#/cohorts") return { view: "cohorts", name: null };
  if (hash === "#/map") return { view: "map" };
  if (hash === "#/keeper") return { view: "keeper" };
  if (hash === "#/api") return { view: "api" };
  return { view: "search", settings: parseSettings(hash) };
}

function parseSettings(hash: string): Settings {
  if (!hash.startsWith("#/?")) return usual;
  const parameters = new URLSearchParams(hash.slice(3));
  const k = Number(parameters.get("k"));
  return {
    to: parameters.get("to") === "reports" ? "reports" : usual.to,
    k: resultCounts.includes(k) ? k : usual.k,
    group: parameters.get("group") === "patient" ? "patient" : usual.group,
    cut: parameters.get("cut") === "1",
  };
}

/** What is as usual is left out. */
export function searchAddress(settings: Settings = usual): string {
  const parameters = new URLSearchParams();
  if (settings.to !== usual.to) parameters.set("to", settings.to);
  if (settings.k !== usual.k) parameters.set("k", String(settings.k));
  if (settings.group !== usual.group) parameters.set("group", settings.group);
  if (settings.cut) parameters.set("cut", "1");
  const text = parameters.toString();
  return text === "" ? "#/" : `#/?${text}`;
}

export const studyAddress = (key: string): string => `#/study/${key}`;

export const cohortAddress = (name: string | null): string => (name === null ? "#/cohorts" : `#/cohorts/${name}`);

export const viewAddress = (view: "map" | "keeper" | "api"): string => `#/${view}`;
