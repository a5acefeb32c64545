/** The API's own description, and trying it. */

import { expect, open, shot, test } from "../support/test.ts";

test("every operation is listed, and one can be tried", async ({ home }) => {
  await open(home, "API");
  const operations = home.locator("main details");
  await expect.poll(() => operations.count()).toBeGreaterThan(20);
  const search = operations.filter({ hasText: "/api/v1/search" }).first();
  await search.locator("summary").click();
  await search.getByRole("button", { name: "Try it" }).click();
  await expect(search.getByTestId("tried")).toContainText("200");
  await expect(search.getByLabel("The answer")).toContainText('"results"');
  await shot(home, "api");
});

test("what the server refuses is shown as it comes", async ({ home, watch }) => {
  watch.allow(/status of 4\d\d/);
  await open(home, "API");
  const study = home.locator("main details").filter({ has: home.getByText("/api/v1/studies/{key}", { exact: true }) });
  await study.locator("summary").click();
  await study.getByLabel("key").fill("0".repeat(24));
  await study.getByRole("button", { name: "Try it" }).click();
  await expect(study.getByTestId("tried")).toContainText("404");
  await expect(study.getByLabel("The answer")).toContainText('"type": "caller"');
});
