import { expect, it } from "vitest";
import type { CohortStep } from "./api/cohorts.ts";
import { bars, stepText } from "./cohort-text.ts";

const step = (selection: CohortStep["selection"], operation: CohortStep["operation"] = "create"): CohortStep => ({
  operation,
  selection,
  pinned: { time: "2026-01-02T03:04:05Z" },
  selected: 5,
  studies: 1,
});

it("tells a step in words", () => {
  expect(stepText(step({ kind: "query", text: "left effusion", filter: "sex:F", to: "images", take: { first: 50 } }))).toBe(
    "Began with the first 50 of “left effusion” that pass sex:F: 5 studies selected, 1 study after it",
  );
  expect(stepText(step({ kind: "query", filter: "age:60..", to: "images", take: "all_matching" }, "add"))).toContain(
    "Added all that pass age:60..",
  );
  expect(stepText(step({ kind: "ids", count: 5 }, "remove"))).toContain("Removed 5 studies that were picked");
  expect(stepText(step({ kind: "cohort", name: "b", revision: 3 }, "minus"))).toContain("Took out what is in cohort b, revision 3");
});

it("gives bars by the largest", () => {
  expect(bars({ a: 4, b: 1 })).toEqual([
    { name: "a", value: 4, share: 1 },
    { name: "b", value: 1, share: 0.25 },
  ]);
  expect(bars({})).toEqual([]);
});
