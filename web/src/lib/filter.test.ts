import { describe, expect, it } from "vitest";
import { ticked, toggled, without, written } from "./filter.ts";

describe("toggled", () => {
  it.each([
    ["", "sex", "F", "sex:F"],
    ["sex:F", "sex", "F", ""],
    ["sex:F", "sex", "M", "(sex:F OR sex:M)"],
    ["(sex:F OR sex:M)", "sex", "f", "sex:M"],
    ["age:40..49 -view:AP", "finding", "Pleural Effusion", 'age:40..49 -view:AP finding:"Pleural Effusion"'],
    ["age:40..49", "age", "50..59", '(age:40..49 OR age:50..59)'],
    ["sex:F OR age:60..", "view", "PA", "(sex:F OR age:60..) view:PA"],
    ["NOT sex:M", "sex", "F", "(NOT sex:M) sex:F"],
    ["-sex:M", "sex", "F", "-sex:M sex:F"],
    ["(sex:F OR view:PA)", "sex", "F", "(sex:F OR view:PA) sex:F"],
    ['finding:"Pleural Effusion"', "finding", "Edema", '(finding:"Pleural Effusion" OR finding:Edema)'],
  ])("%j with %s %s is %j", (filter, field, value, expected) => {
    expect(toggled(filter, field, value)).toBe(expected);
    // Twice is as before, but for what stands for the same.
    const values = (expression: string): string[] => ticked(expression, field).map((one) => one.toLowerCase()).sort();
    expect(values(toggled(expected, field, value))).toEqual(values(filter));
  });
});

describe("ticked", () => {
  it("knows what is ticked, and not what is excluded or in a wider expression", () => {
    expect(ticked('sex:F (finding:Edema OR finding:"Lung Opacity")', "finding")).toEqual(["Edema", "Lung Opacity"]);
    expect(ticked("-sex:F", "sex")).toEqual([]);
    expect(ticked("sex:F OR age:60..", "sex")).toEqual([]);
    expect(ticked("age:((", "age")).toEqual([]);
  });
});

it("counts a field as if nothing of it were ticked", () => {
  expect(without("age:40..49 (sex:F OR sex:M) view:PA", "sex")).toBe("age:40..49 view:PA");
  expect(without("-sex:M", "sex")).toBe("-sex:M");
});

it("writes a value so that it is read back", () => {
  for (const value of ["F", "Pleural Effusion", 'a "b" \\c', "40..49", "2019-03"]) {
    expect(ticked(written("x", value), "x")).toEqual([value]);
  }
});
