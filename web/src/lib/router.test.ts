import { describe, expect, it } from "vitest";
import { parseRoute, studyAddress } from "./router.ts";

describe("parseRoute", () => {
  it("reads a study's key back from its address", () => {
    expect(parseRoute(studyAddress("9f2c1a7b"))).toEqual({ view: "study", key: "9f2c1a7b" });
  });

  it.each(["", "#/", "#/study/", "#/study/a/b", "#/study/../x", "#/study/a%20b", "#/study/a?q=effusion"])(
    "falls back to the search for %j",
    (hash) => {
      expect(parseRoute(hash)).toEqual({ view: "search" });
    },
  );
});
