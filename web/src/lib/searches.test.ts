import { expect, test } from "vitest";
import { nothing, Searches, type Shelf } from "./searches.ts";

function shelf(): Shelf & { map: Map<string, string> } {
  const map = new Map<string, string>();
  return {
    map,
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, value),
    removeItem: (key) => void map.delete(key),
    keys: () => [...map.keys()],
  };
}

const film = { blob: new Blob([]), address: "blob:x", name: "name-of-a-patient.png" };

test("a search is found again after a reload, without its films", () => {
  const kept = shelf();
  const number = new Searches(kept).add({ ...nothing, text: "effusion", sent: true });
  expect(new Searches(kept).get(number)).toEqual({ ...nothing, text: "effusion", sent: true });
  const page = new Searches(kept);
  const other = page.add({ ...nothing, films: [film], sent: true });
  expect(other).not.toBe(number);
  expect(page.get(other)?.films).toEqual([film]);
  expect([...kept.map.values()].join()).not.toContain("patient");
  expect(new Searches(kept).get(other)).toBeNull();
});

test("only the last ones are kept, and signing out forgets all", () => {
  const kept = shelf();
  const page = new Searches(kept);
  for (let i = 0; i < 80; i += 1) page.add({ ...nothing, text: `${i}` });
  expect(kept.map.size).toBeLessThanOrEqual(51);
  page.clear();
  expect(kept.map.size).toBe(0);
  expect(page.get(80)).toBeNull();
});

test("a page without storage works", () => {
  const broken = (): never => {
    throw new Error("switched off");
  };
  const page = new Searches({ getItem: broken, setItem: broken, removeItem: broken, keys: broken });
  expect(page.get(page.add({ ...nothing, text: "a" }))?.text).toBe("a");
  page.clear();
});
