import { describe, expect, it } from "vitest";
import { find, runs } from "./marks.ts";

describe("runs", () => {
  it("cuts by characters, not by halves of them", () => {
    expect(runs({ text: "a 🫁 left effusion.", marks: [[9, 17], [4, 8]] })).toEqual([
      { text: "a 🫁 ", marked: false },
      { text: "left", marked: true },
      { text: " ", marked: false },
      { text: "effusion", marked: true },
      { text: ".", marked: false },
    ]);
  });

  it("lives with marks that overlap or reach beyond the text", () => {
    expect(runs({ text: "abc", marks: [[0, 2], [1, 9]] })).toEqual([
      { text: "ab", marked: true },
      { text: "c", marked: true },
    ]);
    expect(runs({ text: "", marks: [] })).toEqual([]);
  });
});

describe("find", () => {
  const snippet = { text: "Small left (basal) effusion.", marks: [[6, 10]] as [number, number][] };

  it("finds the sentence in a report, with its marks", () => {
    const found = find("Heart normal. Small left (basal) effusion. No edema.", snippet);
    expect(found?.before).toBe("Heart normal. ");
    expect(found?.sentence.filter((run) => run.marked)).toEqual([{ text: "left", marked: true }]);
    expect(found?.after).toBe(" No edema.");
  });

  it("finds it over line breaks, and nothing where it is not", () => {
    expect(find("Small left\n(basal) effusion.", snippet)?.sentence).toEqual([{ text: "Small left\n(basal) effusion.", marked: false }]);
    expect(find("Clear.", snippet)).toBeNull();
  });
});
