/** Values with exact counts, and ticking them. */

import type { Page } from "@playwright/test";
import { address, cards, expect, search, settled, shot, test } from "../support/test.ts";

const panel = (page: Page) => page.getByTestId("facets");
const value = (page: Page, group: string, name: string) =>
  panel(page).getByRole("list", { name: group }).getByRole("listitem").filter({ hasText: name });
const filter = (page: Page) => page.getByLabel("Filter", { exact: true });

async function counted(page: Page): Promise<void> {
  await expect(panel(page)).toHaveAttribute("aria-busy", "false");
}

async function openPanel(page: Page): Promise<void> {
  await search(page, "cardiomegaly");
  await page.getByRole("button", { name: "Values" }).click();
  await expect(panel(page)).toContainText(/\d+ stud(y|ies) pass/);
  await counted(page);
}

test("ticking a value changes the filter, the results and the counts, and typing still works", async ({ home }) => {
  await openPanel(home);
  const women = value(home, "Sex", "Female");
  const n = Number(await women.locator("output").innerText());
  expect(n).toBeGreaterThan(0);
  await shot(home, "values");
  await women.getByRole("checkbox").check();
  await expect(filter(home)).toHaveValue("sex:F");
  await settled(home);
  await counted(home);
  await expect(panel(home)).toContainText(`${n} studies pass`);
  const facts = await cards(home).locator("a.open").allInnerTexts();
  expect(facts.filter((text) => !/(^|· )F\b/.test(text))).toEqual([]);
  // As if nothing of its own field were ticked.
  const men = value(home, "Sex", "Male").filter({ hasNotText: "Female" });
  await expect(men.locator("output")).not.toHaveText("0");
  await men.getByRole("checkbox").check();
  await expect(filter(home)).toHaveValue("(sex:F OR sex:M)");
  await filter(home).fill("sex:M");
  await filter(home).press("Enter");
  await settled(home);
  await counted(home);
  await expect(men.getByRole("checkbox")).toBeChecked();
  await expect(women.getByRole("checkbox")).not.toBeChecked();
  await home.getByRole("button", { name: "Close the values" }).click();
  await expect(panel(home)).toHaveCount(0);
});

test("a count is what the filter then lets pass", async ({ home, page }) => {
  await openPanel(home);
  const effusion = value(home, "Shows", "Pleural Effusion");
  const said = Number(await effusion.locator("output").innerText());
  const answer = await page.request.post(`${address()}/api/v1/search`, {
    data: { text: "cardiomegaly", filter: 'finding:"Pleural Effusion"', k: 1 },
  });
  const { page: totals } = (await answer.json()) as { page: { total: number; excluded: number } };
  expect(said).toBe(totals.total - totals.excluded);
  await effusion.getByRole("checkbox").check();
  await expect(filter(home)).toHaveValue('finding:"Pleural Effusion"');
});

test("ages are ranges", async ({ home }) => {
  await openPanel(home);
  const range = panel(home).getByRole("list", { name: "Age" }).getByRole("listitem").first();
  await range.getByRole("checkbox").check();
  await expect(filter(home)).toHaveValue(/^age:\d+(\.\.\d+)?$/);
  await settled(home);
  await expect(home.getByRole("alert")).toHaveCount(0);
});
