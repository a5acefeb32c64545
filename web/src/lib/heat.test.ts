import { expect, test } from "vitest";
import { heatPixels } from "./heat.ts";
import type { Mapped } from "./types.ts";

const mapped = (values: number[], range: [number, number]): Mapped => ({
  map: { rows: 1, columns: values.length, values, film: [10, 10], square: [0, 0, 10] },
  range,
  peak: { x: 0, y: 0, words: "" },
  caution: "",
  notice: "",
});

test("the highest cell is light and covers most, and the lower half covers nothing", () => {
  const pixels = heatPixels(mapped([0, 4, 10], [0, 10]));
  expect([...pixels.slice(8)]).toEqual([252, 255, 164, 255]);
  expect(pixels[3]).toBe(0);
  expect(pixels[7]).toBe(0);
});

test("a flat map covers nothing, and a value beyond the range is its end", () => {
  expect(heatPixels(mapped([1, 1], [1, 1]))[3]).toBe(0);
  expect(heatPixels(mapped([99], [0, 10]))[3]).toBe(255);
});
