/** The keeper's view: what is served, and jobs. */

import { writeFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { violations } from "../support/axe.ts";
import { cards, emptyAddress, expect, filmPath, open, otherFilm, search, shot, test } from "../support/test.ts";

test("the keeper sees what is served, and which models there are", async ({ home }) => {
  await open(home, "Keeper");
  await expect(home.getByTestId("served")).toContainText("Studies60");
  await expect(home.getByTestId("models").getByRole("listitem").filter({ hasText: "demo" })).toContainText("serves");
  await expect(home.getByTestId("models")).toContainText("built in");
});

/** Asks for so many indexes anew: while one runs, the others wait. */
async function rebuild(page: Page, times: number): Promise<void> {
  await page.getByLabel("Embed everything anew").check();
  const jobs = page.getByTestId("jobs").getByRole("article");
  const before = await jobs.count();
  for (let i = 1; i <= times; i += 1) {
    await page.getByRole("button", { name: "Index", exact: true }).click();
    await expect(jobs).toHaveCount(before + i);
  }
}

test("an index is made anew, its progress is told, and the next generation is served", async ({ home }) => {
  await open(home, "Keeper");
  const generation = home.getByTestId("served").locator("div", { hasText: "Generation" }).locator("dd");
  const before = Number(await generation.innerText());
  const jobs = home.getByTestId("jobs").getByRole("article");
  await rebuild(home, 3);
  await expect(jobs.getByRole("progressbar").first()).toBeVisible();
  await shot(home, "keeper-running");
  for (const job of await jobs.all()) await expect(job).toHaveAttribute("data-state", /done|stopped|failed/, { timeout: 40_000 });
  await expect(jobs.first()).toHaveAttribute("data-state", "done");
  await expect.poll(async () => Number(await generation.innerText())).toBeGreaterThan(before);
});

test("a job can be stopped", async ({ home }) => {
  await open(home, "Keeper");
  await rebuild(home, 2);
  const job = home.getByTestId("jobs").getByRole("article").first();
  await job.getByRole("button", { name: "Stop" }).click();
  await expect(job).toHaveAttribute("data-state", "stopped", { timeout: 40_000 });
});

test("an import says what it rejected, and a wrong one why it failed", async ({ home, watch }, info) => {
  watch.allow(/status of 4\d\d/);
  await open(home, "Keeper");
  const job = home.getByTestId("jobs").getByRole("article").first();
  await home.getByLabel("Source").selectOption("manifest");
  await home.getByLabel("Path").fill("not/absolute.csv");
  await home.getByRole("button", { name: "Import", exact: true }).click();
  await expect(home.getByRole("alert")).toContainText("absolute");
  const manifest = info.outputPath("none.csv");
  writeFileSync(manifest, "nothing,of,this\n1,2,3\n");
  await home.getByLabel("Path").fill(manifest);
  await home.getByRole("button", { name: "Import", exact: true }).click();
  await expect(job).toContainText("Import");
  await expect(job).toHaveAttribute("data-state", "failed");
  await expect(job.locator(".fault")).not.toBeEmpty();
  await shot(home, "keeper");
});

test("an empty archive says so, and is filled from the page", async ({ page }, info) => {
  await page.goto(`${emptyAddress()}/`);
  await expect(page.getByRole("heading", { name: "This archive is empty" })).toBeVisible();
  await shot(page, "empty-archive");
  expect(await violations(page)).toEqual([]);
  await page.getByRole("link", { name: "Import and index here" }).click();
  const manifest = info.outputPath("two.csv");
  const rows = [filmPath(), otherFilm()].map((film, i) => `study-${i},patient-${i},${film},"There is a left pleural effusion."`);
  writeFileSync(manifest, ["study,patient,image,findings", ...rows, ""].join("\n"));
  await page.getByLabel("Source").selectOption("manifest");
  await page.getByLabel("Path").fill(manifest);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  const jobs = page.getByTestId("jobs").getByRole("article");
  await expect(jobs.first()).toHaveAttribute("data-state", "done");
  await page.getByRole("button", { name: "Index", exact: true }).click();
  await expect(jobs).toHaveCount(2);
  await expect(jobs.first()).toHaveAttribute("data-state", "done", { timeout: 40_000 });
  await expect(page.getByTestId("served")).toContainText("Studies2");
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Search" }).click();
  await search(page, "left pleural effusion");
  await expect(cards(page)).toHaveCount(2);
});
