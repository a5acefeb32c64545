import { describe, expect, it } from "vitest";
import { dragged, limits, plainWindow, windowFilter, type Window } from "./window.ts";

const cut = (value: number): number => Math.min(1, Math.max(0, value));

/** What a browser does with the filter, step by step. */
function shown(value: number, filter: string): number {
  return [...filter.matchAll(/(\w+)\(([\d.]+)\)/g)].reduce((x, [, name, text]) => {
    const amount = Number(text);
    if (name === "brightness") return cut(x * amount);
    if (name === "contrast") return cut((x - 0.5) * amount + 0.5);
    return 1 - x;
  }, value);
}

describe("windowFilter", () => {
  it.each<[number, number]>([
    [0.5, 1],
    [0.3, 0.2],
    [0.8, 0.3],
    [0.2, 0.9],
    [0.9, 1.2],
    [0.1, 1.5],
  ])("is the window with center %f and width %f", (center, width) => {
    for (let value = 0; value <= 1; value += 0.05) {
      const expected = cut((value - center) / width + 0.5);
      expect(shown(value, windowFilter({ center, width, inverted: false }))).toBeCloseTo(expected, 2);
      expect(shown(value, windowFilter({ center, width, inverted: true }))).toBeCloseTo(1 - expected, 2);
    }
  });
});

describe("dragged", () => {
  it("widens to the right, raises the level downwards, and stays within its limits", () => {
    const narrow: Window = { ...plainWindow, width: 0.5 };
    const after = dragged(narrow, 50, 100);
    expect(after.width).toBeCloseTo(0.6);
    expect(after.center).toBeCloseTo(0.7);
    expect(dragged(narrow, -9999, 9999)).toEqual({ center: limits.center.max, width: limits.width.min, inverted: false });
  });
});
