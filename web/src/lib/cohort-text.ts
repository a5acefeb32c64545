/** How a cohort came about, in words. */

import type { CohortStep, StepTake } from "./api/cohorts.ts";
import { count } from "./format.ts";

const did: Record<CohortStep["operation"], string> = {
  create: "Began with",
  add: "Added",
  remove: "Removed",
  union: "Joined with",
  intersect: "Kept what is also in",
  minus: "Took out what is in",
};

const studies = (n: number): string => count(n, "study", "studies");

function taken(take: StepTake): string {
  if (take === "all_matching") return "all that match";
  if ("first" in take) return `the first ${take.first.toLocaleString("en")}`;
  return `all with a score of at least ${take.min_score}`;
}

export function stepText({ operation, selection, selected, studies: after }: CohortStep): string {
  const end = `${studies(selected)} selected, ${studies(after)} after it`;
  return `${did[operation]} ${what(selection)}: ${end}`;
}

function what(selection: CohortStep["selection"]): string {
  if (selection.kind === "ids") return `${studies(selection.count)} that were picked`;
  if (selection.kind === "cohort") return `cohort ${selection.name}, revision ${selection.revision}`;
  const filterAlone = selection.take === "all_matching" && selection.text === undefined && selection.filter !== undefined;
  const parts = [
    filterAlone ? "all" : taken(selection.take),
    selection.text === undefined ? null : `of “${selection.text}”`,
    selection.image === undefined ? null : "of a film",
    selection.filter === undefined ? null : `that pass ${selection.filter}`,
  ];
  return parts.filter((part) => part !== null).join(" ");
}

/** The date of a time stamp, as the server writes it. */
export const day = (time: string): string => time.slice(0, 10);

/** A table's values as shares of the largest, for bars. */
export function bars(values: Record<string, number>): { name: string; value: number; share: number }[] {
  const largest = Math.max(1, ...Object.values(values));
  return Object.entries(values).map(([name, value]) => ({ name, value, share: value / largest }));
}
