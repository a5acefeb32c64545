import { describe, expect, it } from "vitest";
import { cohortAddress, parseRoute, searchAddress, studyAddress, usual, viewAddress, type Settings } from "./router.ts";

describe("parseRoute", () => {
  it("reads back what was written", () => {
    expect(parseRoute(studyAddress("9f2c1a7b"))).toEqual({ view: "study", key: "9f2c1a7b" });
    expect(parseRoute(cohortAddress("left.2019-a"))).toEqual({ view: "cohorts", name: "left.2019-a" });
    expect(parseRoute(cohortAddress(null))).toEqual({ view: "cohorts", name: null });
    for (const view of ["map", "keeper", "api"] as const) expect(parseRoute(viewAddress(view))).toEqual({ view });
    const settings: Settings = { to: "reports", k: 48, group: "patient", cut: true };
    expect(parseRoute(searchAddress(settings))).toEqual({ view: "search", settings });
  });

  it("leaves out of the address what is as usual", () => {
    expect(searchAddress()).toBe("#/");
    expect(searchAddress({ ...usual, cut: true })).toBe("#/?cut=1");
  });

  it.each(["", "#/", "#/study/", "#/study/a/b", "#/study/../x", "#/study/a%20b", "#/study/a?q=effusion", "#/?k=7&to=x"])(
    "falls back to the search for %j",
    (hash) => {
      expect(parseRoute(hash)).toEqual({ view: "search", settings: usual });
    },
  );
});
