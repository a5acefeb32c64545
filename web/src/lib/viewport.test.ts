import { describe, expect, it } from "vitest";
import { actualPixels, clampPan, fit, fittedSize, maxScale, zoomAt } from "./viewport.ts";

const film = { width: 2000, height: 2500 };
const stage = { width: 800, height: 500 };

describe("viewport", () => {
  it("fits the film by its tighter side", () => {
    expect(fittedSize(film, stage)).toEqual({ width: 400, height: 500 });
  });

  it("finds the scale of one film pixel per screen pixel", () => {
    expect(actualPixels(film, stage)).toBe(5);
  });

  it("keeps the point under the pointer in place", () => {
    const at = { x: 120, y: -80 };
    const before = { scale: 2, x: 10, y: 20 };
    const after = zoomAt(before, 1.5, at);
    // The film coordinate under `at`, before and after.
    expect((at.x - after.x) / after.scale).toBeCloseTo((at.x - before.x) / before.scale);
    expect((at.y - after.y) / after.scale).toBeCloseTo((at.y - before.y) / before.scale);
  });

  it("stays between the whole film and the largest scale", () => {
    expect(zoomAt(fit, 0.1, { x: 0, y: 0 }).scale).toBe(1);
    expect(zoomAt(fit, 1000, { x: 0, y: 0 }).scale).toBe(maxScale);
  });

  it("does not let the film out of reach, and centres it when it fits", () => {
    expect(clampPan({ scale: 2, x: 9000, y: -9000 }, film, stage)).toEqual({ scale: 2, x: 400, y: -500 });
    expect(clampPan({ scale: 1, x: 50, y: 50 }, film, stage)).toEqual(fit);
  });
});
