/** Signing in, and what each role is offered. */

import type { Page } from "@playwright/test";
import { cards, expect, guarded, search, settled, shot, test } from "../support/test.ts";

async function signIn(page: Page, token: string): Promise<void> {
  await page.goto(`${guarded().address}/`);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const views = (page: Page) => page.getByRole("navigation", { name: "Views" }).getByRole("link");

test.beforeEach(({ watch }) => {
  // The browser reports every 401 by itself.
  watch.allow(/status of 40[13]/);
});

test("a token is asked for, a wrong one is refused in words, and a right one opens the search", async ({ page }) => {
  await page.goto(`${guarded().address}/`);
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  await expect(page.getByRole("banner").getByText("Not for diagnosis")).toBeVisible();
  await expect(page.getByLabel("Token")).toBeFocused();
  await expect(views(page)).toHaveCount(0);
  await shot(page, "sign-in");
  await page.getByLabel("Token").fill("thx_0000000000_wrong");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("not known here");
  await page.getByLabel("Token").fill(guarded().tokens.researcher);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
  await search(page, "left pleural effusion");
  await expect(cards(page).first().locator("img")).toBeVisible();
  expect(await page.evaluate(() => document.cookie)).toBe("");
});

test("signing out asks for a token again and leaves no search behind", async ({ page }) => {
  await signIn(page, guarded().tokens.researcher);
  await search(page, "left pleural effusion");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toMatch(/effusion/i);
  await page.goBack();
  await expect(page.getByText(/effusion/i)).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
});

test("a session that ends meanwhile leads to the sign-in", async ({ page, context }) => {
  await signIn(page, guarded().tokens.reader);
  await search(page, "left pleural effusion");
  await context.clearCookies();
  await page.getByLabel("Filter", { exact: true }).fill("sex:F");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
});

for (const [role, offered] of Object.entries({
  reader: ["Search", "API"],
  researcher: ["Search", "Cohorts", "Map", "API"],
  keeper: ["Search", "Keeper", "API"],
} as const)) {
  test(`a ${role} is offered what a ${role} may do`, async ({ page }) => {
    await signIn(page, guarded().tokens[role as keyof ReturnType<typeof guarded>["tokens"]]);
    await expect(page.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
    await expect(views(page)).toHaveText([...offered]);
    await search(page, "cardiomegaly");
    await settled(page);
    const collects = role === "researcher";
    await expect(page.getByRole("button", { name: "Collect film 1", exact: true })).toHaveCount(collects ? 1 : 0);
    await expect(page.getByRole("button", { name: "To a cohort" })).toHaveCount(collects ? 1 : 0);
  });
}
