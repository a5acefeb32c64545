/** The first page is quick. */

import { address, expect, test } from "../support/test.ts";

test("the first page stands in less than a second", async ({ page }) => {
  // What is measured is a load as the second visitor of a server has it: this one warms the files of the page.
  await page.goto(`${address()}/`);
  const times: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    await page.context().clearCookies();
    await page.goto("about:blank");
    const started = Date.now();
    await page.goto(`${address()}/`, { waitUntil: "commit" });
    await expect(page.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
    times.push(Date.now() - started);
  }
  console.log(`first page: ${times.join(", ")} ms`);
  expect(Math.min(...times)).toBeLessThan(1000);
});

test("the first page brings no code of other views", async ({ page, watch }) => {
  await page.goto(`${address()}/`);
  await expect(page.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
  const scripts = watch.requests.map((request) => request.url()).filter((url) => /\.(js|css)$/.test(url));
  expect(scripts.filter((url) => /Study|Viewer|Cohorts|Map|Keeper|Api|SignIn/.test(url))).toEqual([]);
});
