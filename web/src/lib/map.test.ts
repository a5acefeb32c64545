import { describe, expect, it } from "vitest";
import { colours, inRectangle, inside, nearest, studiesOf, tally, toMap, toScreen, whole, zoomed } from "./map.ts";

const size = { width: 800, height: 600 };
const points = [
  { x: 0, y: 0 },
  { x: 0.5, y: 0.5 },
  { x: -0.9, y: 0.2 },
];

describe("places", () => {
  it("go to the screen and back", () => {
    const view = { x: 0.2, y: -0.1, scale: 3 };
    const back = toMap(toScreen({ x: 0.3, y: 0.4 }, view, size), view, size);
    expect(back.x).toBeCloseTo(0.3);
    expect(back.y).toBeCloseTo(0.4);
    expect(toScreen({ x: 0, y: 1 }, whole, size).y).toBeLessThan(300);
  });

  it("stay under the pointer when it zooms, and the whole is never smaller", () => {
    const at = { x: 500, y: 120 };
    const before = toMap(at, whole, size);
    const view = zoomed(whole, 2, at, size);
    expect(toMap(at, view, size).x).toBeCloseTo(before.x);
    expect(toMap(at, view, size).y).toBeCloseTo(before.y);
    expect(zoomed(view, 0.01, at, size)).toEqual(whole);
  });

  it("find the point that is pointed at", () => {
    const at = toScreen({ x: 0.5, y: 0.5 }, whole, size);
    expect(nearest(points, { x: at.x + 3, y: at.y }, whole, size)).toBe(1);
    expect(nearest(points, { x: at.x + 40, y: at.y }, whole, size)).toBe(-1);
  });
});

describe("selections", () => {
  it("a lasso holds what is inside, also where it is hollow", () => {
    const line = [
      { x: -1, y: -1 },
      { x: 1, y: -1 },
      { x: 1, y: 1 },
      { x: 0.4, y: 0.1 },
      { x: -1, y: 1 },
    ];
    expect(inside(points, line)).toEqual([0, 2]);
    expect(inside(points, line.slice(0, 2))).toEqual([]);
  });

  it("a rectangle can be given by any two corners", () => {
    expect(inRectangle(points, { x: 0.6, y: 0.6 }, { x: -0.1, y: -0.1 })).toEqual([0, 1]);
  });

  it("two films of a study are one study", () => {
    expect(studiesOf(["a-0", "a-1", "b-0"])).toEqual(["a", "b"]);
  });
});

it("colours a film by the rarest of its findings", () => {
  const findings = [["Edema"], ["Edema", "Fracture"], [], ["Edema"]];
  expect(tally(findings)).toEqual([
    { finding: "Edema", films: 3 },
    { finding: "Fracture", films: 1 },
  ]);
  expect(colours(findings, ["Edema", "Fracture"])).toEqual([0, 1, -1, 0]);
});
