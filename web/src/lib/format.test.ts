import { describe, expect, it } from "vitest";
import { ageText, answers, factsLine, mergeFindings } from "./format.ts";
import type { Finding } from "./types.ts";

const finding = (observation: string, more: Partial<Finding> = {}): Finding => ({
  observation,
  polarity: "present",
  side: null,
  severity: null,
  origin: "dataset",
  ...more,
});

describe("mergeFindings", () => {
  it("shows once what two sources say alike, with the side that one of them knows", () => {
    const left = finding("Pleural Effusion", { side: "left", origin: "labeler" });
    expect(mergeFindings([finding("Pleural Effusion"), left])).toEqual([left]);
  });

  it("keeps sources that disagree, and the two sides, apart", () => {
    const all = [
      finding("Edema", { polarity: "absent" }),
      finding("Edema"),
      finding("Pneumothorax", { side: "left" }),
      finding("Pneumothorax", { side: "right" }),
    ];
    expect(mergeFindings(all)).toHaveLength(4);
  });

  it("puts present before uncertain before absent", () => {
    const all = (["absent", "uncertain", "present"] as const).map((polarity) => finding("Edema", { polarity }));
    expect(mergeFindings(all).map((f) => f.polarity)).toEqual(["present", "uncertain", "absent"]);
  });
});

describe("answers", () => {
  const asked = { ...finding("Pleural Effusion"), side: "left" as const };

  it.each([
    ["left", true],
    ["bilateral", true],
    [null, true],
    ["right", false],
  ] as const)("left is asked, %s is shown: %s", (side, expected) => {
    expect(answers(finding("Pleural Effusion", { side }), asked)).toBe(expected);
  });

  it("does not take absent for present", () => {
    expect(answers(finding("Pleural Effusion", { polarity: "absent" }), asked)).toBe(false);
  });
});

describe("facts", () => {
  it("leaves out what is not known", () => {
    const facts = { study: "a/1", key: "k", source: "a", patient: "a/p", date: null, offset: 0, age: null, sex: null };
    expect(factsLine({ ...facts, view: "LATERAL" })).toBe("Lateral · time point 0");
  });

  it("gives the age of an infant in months", () => {
    expect(ageText(0.5)).toBe("6 mo");
    expect(ageText(57.4)).toBe("57 y");
  });
});
