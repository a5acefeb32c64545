import { describe, expect, it } from "vitest";
import { ApiError } from "./api/client.ts";
import { ResultList } from "./results.svelte.ts";
import type { SearchResponse } from "./types.ts";

const page = (ranks: number[], next: string | null): SearchResponse =>
  ({ page: { next, total: 9, relevant: 4, excluded: 0, offset: 0, generation: 1 }, results: ranks.map((rank) => ({ rank })) }) as SearchResponse;

const ranks = (list: ResultList): number[] => list.value?.results.map(({ rank }) => rank) ?? [];

describe("a list of results", () => {
  it("grows by the page behind its cursor", async () => {
    const list = new ResultList();
    await list.run(async () => page([1, 2], "a"));
    const asked: string[] = [];
    const got = await list.extend(async (after) => {
      asked.push(after);
      return page([3], null);
    });
    expect([got, asked, ranks(list)]).toEqual([1, ["a"], [1, 2, 3]]);
    expect(await list.extend(async () => page([4], null))).toBeNull();
  });

  it("keeps what it has where the next page fails, and can ask again", async () => {
    const list = new ResultList();
    await list.run(async () => page([1], "a"));
    const fault = new ApiError("the index has changed", "stale", "caller");
    expect(await list.extend(() => Promise.reject(fault))).toBeNull();
    expect([list.more, list.moreError, ranks(list)]).toEqual(["failed", fault, [1]]);
    await list.extend(async () => page([2], null));
    expect([list.more, ranks(list)]).toEqual(["done", [1, 2]]);
  });

  it("forgets a page that comes after another search was made", async () => {
    const list = new ResultList();
    await list.run(async () => page([1], "a"));
    let answer: (late: SearchResponse) => void = () => undefined;
    const late = list.extend(() => new Promise((done) => (answer = done)));
    await list.run(async () => page([7], null));
    answer(page([2], null));
    expect(await late).toBeNull();
    expect(ranks(list)).toEqual([7]);
  });
});
