import { describe, expect, it } from "vitest";
import { flipped, footprint, isMirrored, orientationText, turned, upright, type Orientation } from "./orientation.ts";

/** Where a point of the film is seen: x to the right, y down. */
function seen({ turns, across, down }: Orientation, [x, y]: [number, number]): [number, number] {
  let at: [number, number] = [x, y];
  for (let i = 0; i < turns; i += 1) at = [-at[1], at[0]];
  return [across ? -at[0] : at[0], down ? -at[1] : at[1]];
}

describe("orientation", () => {
  it("turns clockwise as seen, also in a mirror", () => {
    for (const start of [upright, flipped(upright, "across"), flipped(turned(upright, 1), "down")]) {
      const [x, y] = seen(start, [3, 1]);
      const [after, down] = seen(turned(start, 1), [3, 1]);
      expect([after + 0, down + 0]).toEqual([-y + 0, x + 0]);
      expect(turned(turned(start, 1), -1)).toEqual(start);
    }
  });

  it("takes the room of the turned film", () => {
    expect(footprint({ width: 2, height: 3 }, turned(upright, -1))).toEqual({ width: 3, height: 2 });
  });

  it("says what is not as stored, and knows a mirror from half a turn", () => {
    expect(orientationText(upright)).toBeNull();
    expect(orientationText(turned(flipped(upright, "across"), 1))).toBe("turned right, flipped left to right");
    const both = flipped(flipped(upright, "across"), "down");
    expect(isMirrored(both)).toBe(false);
    expect(orientationText(flipped(turned(upright, 1), "across"))).toBe("turned left, flipped left to right");
  });
});
