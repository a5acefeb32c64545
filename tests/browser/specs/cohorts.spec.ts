/** Cohorts: collecting, making, combining, verifying, exporting. */

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { address, cards, cohortName, expect, makeCohort, open, search, shot, test } from "../support/test.ts";

const detail = (page: Page) => page.getByTestId("cohort");

async function openCohort(page: Page, name: string): Promise<void> {
  await open(page, "Cohorts");
  await page.getByRole("navigation", { name: "Cohorts" }).getByRole("link", { name }).click();
  await expect(detail(page).getByRole("heading", { level: 2, name })).toBeVisible();
}

test("studies that were collected become a cohort", async ({ home }) => {
  await search(home, "left pleural effusion");
  await home.getByRole("button", { name: "Collect film 1", exact: true }).click();
  await home.getByRole("button", { name: "Collect film 3", exact: true }).click();
  await home.getByRole("button", { name: "To a cohort" }).click();
  const dialog = home.getByRole("dialog");
  await expect(dialog.getByLabel("2 studies collected")).toBeChecked();
  const name = cohortName("collected");
  await dialog.getByLabel("Name").fill(name);
  await shot(home, "to-cohort");
  await dialog.getByRole("button", { name: "Make the cohort" }).click();
  await expect(home).toHaveURL(new RegExp(`#/cohorts/${name}$`));
  await expect(detail(home)).toContainText("2 studies of");
  await expect(home.getByTestId("cohort-studies").getByRole("link")).toHaveCount(2);
});

test("the first of a search become a cohort, and one that is there gets more", async ({ home }) => {
  const name = await makeCohort(home, "sex:F age:200..");
  await search(home, "cardiomegaly");
  await home.getByRole("button", { name: "To a cohort" }).click();
  const dialog = home.getByRole("dialog");
  await dialog.getByLabel("How many").fill("5");
  await dialog.getByLabel("Cohort").selectOption(name);
  await dialog.getByRole("button", { name: "Add to the cohort" }).click();
  await expect(detail(home)).toContainText("5 studies of");
  await expect(detail(home)).toContainText("Added the first 5 of “cardiomegaly”");
});

test("a name that is taken, or a filter that is wrong, is said in the dialog", async ({ home, watch }) => {
  watch.allow(/status of 4\d\d/);
  const name = await makeCohort(home, "sex:F");
  await open(home, "Cohorts");
  await home.getByRole("button", { name: "New cohort" }).click();
  const dialog = home.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("Filter").fill("sex:F");
  await dialog.getByRole("button", { name: "Make the cohort" }).click();
  await expect(dialog.getByRole("alert")).toContainText("already");
  await dialog.getByLabel("Name").fill(`${name}-b`);
  await dialog.getByLabel("Filter").fill("age:((");
  await dialog.getByRole("button", { name: "Make the cohort" }).click();
  await expect(dialog.getByRole("alert")).toContainText(/filter|query|parenthes/i);
  await dialog.getByLabel("Filter").fill("age:60..");
  await dialog.getByRole("button", { name: "Make the cohort" }).click();
  await expect(home).toHaveURL(new RegExp(`#/cohorts/${name}-b$`));
});

test("a cohort tells what is in it and how it came about, and its steps give the same again", async ({ home }) => {
  const name = await makeCohort(home, "sex:F");
  await openCohort(home, name);
  await expect(detail(home)).toContainText(/\d+ studies of \d+ patients/);
  await expect(detail(home).getByRole("table", { name: "Studies stated to show" })).toContainText("Pleural Effusion");
  await expect(detail(home).getByRole("table", { name: "Patients by number of studies" })).toContainText("1 study");
  await expect(detail(home)).toContainText("Began with all that pass sex:F");
  await home.getByRole("button", { name: /^Verify/ }).click();
  await expect(home.getByTestId("verified")).toContainText("The same.");
  await home.evaluate(() => scrollTo(0, 0));
  await shot(home, "cohort");
});

test("cohorts are combined, studies are taken out, and a cohort is deleted", async ({ home }) => {
  const women = await makeCohort(home, "sex:F");
  const men = await makeCohort(home, "sex:M");
  const count = async (of: string) => {
    const answer = await home.request.get(`${address()}/api/v1/cohorts/${of}`);
    return ((await answer.json()) as { studies: number }).studies;
  };
  await openCohort(home, women);
  await home.getByLabel("How", { exact: true }).selectOption("union");
  await home.getByLabel("The other cohort").selectOption(men);
  await home.getByLabel("into").fill(`${women}-all`);
  await home.getByRole("button", { name: "Combine" }).click();
  await expect(detail(home).getByRole("heading", { level: 2, name: `${women}-all` })).toBeVisible();
  const all = await count(`${women}-all`);
  expect(all).toBe((await count(women)) + (await count(men)));
  await home.getByLabel("take out study 1", { exact: true }).check();
  await home.getByRole("button", { name: "Take 1 study out" }).click();
  await expect(detail(home)).toContainText(`${all - 1} studies of`);
  await expect(detail(home)).toContainText("revision 2");
  await home.getByRole("button", { name: "Next page" }).click();
  await expect(home.getByTestId("cohort-studies")).toContainText("25 to 48 of");
  await home.getByRole("button", { name: "Delete" }).first().click();
  await home.getByRole("button", { name: "Delete the cohort" }).click();
  await expect(home).toHaveURL(/#\/cohorts$/);
  expect((await home.request.get(`${address()}/api/v1/cohorts/${women}-all`)).status()).toBe(404);
});

test("a cohort is downloaded as a table and as embeddings, without patients and reports", async ({ home }) => {
  const name = await makeCohort(home, "sex:F");
  await openCohort(home, name);
  const download = async (link: string) => {
    const coming = home.waitForEvent("download");
    await home.getByRole("link", { name: link, exact: true }).click();
    const file = await coming;
    return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
  };
  const csv = await download("CSV");
  expect(csv.name).toBe(`${name}.csv`);
  const lines = csv.bytes.toString().trim().split("\n");
  const head = ((await (await home.request.get(`${address()}/api/v1/cohorts/${name}`)).json()) as { studies: number }).studies;
  expect(lines).toHaveLength(head + 1);
  expect(csv.bytes.toString()).not.toMatch(/s7-p0\d+|Impression|effusion is/);
  expect((await download("JSON lines")).bytes.toString().trim().split("\n")).toHaveLength(head);
  expect((await download("Parquet")).bytes.subarray(0, 4).toString()).toBe("PAR1");
  expect((await download("Embeddings (NPY)")).bytes.subarray(1, 6).toString()).toBe("NUMPY");
  expect((await download("Rows of the embeddings (CSV)")).bytes.toString().split("\n").length).toBeGreaterThan(head);
});

test("a cohort that is gone is a readable error", async ({ page, watch }) => {
  watch.allow(/404/);
  const name = await makeCohort(page, "sex:F");
  await page.goto(`${address()}/#/cohorts/no-such-cohort`);
  await expect(page.getByRole("alert")).toContainText("The cohort cannot be shown");
  await page.getByRole("navigation", { name: "Cohorts" }).getByRole("link", { name }).click();
  await expect(page.getByTestId("cohort-studies").getByRole("link").first()).toBeVisible();
  await page.getByTestId("cohort-studies").getByRole("link").first().click();
  await expect(page.getByTestId("report")).toBeVisible();
  expect(await cards(page).count()).toBe(0);
});
