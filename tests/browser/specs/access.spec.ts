/** Keyboard, contrast, themes and widths. */

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { violations } from "../support/axe.ts";
import { address, cards, drop, expect, filmPath, guarded, makeCohort, open, search, settled, shot, test } from "../support/test.ts";

test("everything can be done from the keyboard", async ({ home }) => {
  await home.keyboard.type("left pleural effusion");
  await home.keyboard.press("Enter");
  await settled(home);
  const link = (n: number) => cards(home).nth(n).locator("a.open");
  await home.keyboard.press("ArrowDown");
  await expect(link(0)).toBeFocused();
  await home.keyboard.press("ArrowRight");
  await expect(link(1)).toBeFocused();
  await home.keyboard.press("ArrowLeft");
  await expect(link(0)).toBeFocused();
  await home.keyboard.press("ArrowDown");
  await expect(link(0)).not.toBeFocused();
  await home.keyboard.press("Home");
  await expect(link(0)).toBeFocused();
  await shot(home, "focus");
  await home.keyboard.press("Enter");
  await expect(home.getByTestId("report")).toBeVisible();
  await home.keyboard.press("Escape");
  await expect(link(0)).toBeFocused();
  await home.keyboard.press("/");
  await expect(home.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
  await home.keyboard.press("Escape");
  await home.keyboard.press("?");
  await expect(home.getByRole("dialog")).toBeVisible();
  await home.keyboard.press("Escape");
  await expect(home.getByRole("dialog")).toBeHidden();
});

test("slash leads from a study to the search", async ({ home }) => {
  await search(home, "left pleural effusion");
  await cards(home).first().locator("a.open").click();
  await expect(home.getByTestId("report")).toBeVisible();
  await home.keyboard.press("/");
  await expect(home.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
});

test("the theme follows the system until it is chosen, and the choice is kept", async ({ home }) => {
  const scheme = () => home.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await scheme();
  await home.emulateMedia({ colorScheme: "light" });
  await expect.poll(scheme).not.toBe(dark);
  await home.getByRole("button", { name: "Use the dark theme" }).click();
  await expect.poll(scheme).toBe(dark);
  await home.reload();
  expect(await scheme()).toBe(dark);
  expect(await home.evaluate(() => Object.keys(localStorage))).toEqual(["thorax-theme"]);
});

test("the accessibility check itself finds what is wrong", async ({ home }) => {
  await home.evaluate(() => document.querySelector("main")?.append(document.createElement("button")));
  expect(await violations(home)).toEqual([expect.stringContaining("button-name (critical)")]);
});

for (const colorScheme of ["dark", "light"] as const) {
  test.describe(`in the ${colorScheme} theme`, () => {
    test.use({ colorScheme });

    const check = async (page: Page, view: string) => expect(await violations(page), view).toEqual([]);

    test("searching and looking at studies have no violation", async ({ home }) => {
      await check(home, "home");
      await search(home, "small left pleural effusion, no pneumothorax");
      await cards(home).first().getByText("why (score, not a probability)").click();
      await home.getByRole("button", { name: "More like film 2", exact: true }).click();
      await home.getByRole("button", { name: "Collect film 1", exact: true }).click();
      await home.getByRole("button", { name: "Values" }).click();
      await expect(home.getByTestId("facets")).toHaveAttribute("aria-busy", "false");
      await home.getByTestId("understood").getByRole("button").first().click();
      await check(home, "films");
      await shot(home, `results-${colorScheme}`);
      await home.getByRole("button", { name: "To a cohort" }).click();
      await check(home, "to a cohort");
      await home.keyboard.press("Escape");
      await home.getByText("Reports", { exact: true }).click();
      await settled(home);
      await check(home, "reports");
      await home.getByRole("button", { name: "What filters can say" }).click();
      await check(home, "filter help");
      await home.keyboard.press("Escape");
      await cards(home, "reports").first().locator("a.open").click();
      await expect(home.getByTestId("film")).toHaveClass(/loaded/);
      await expect(home.getByTestId("similar").getByRole("link").first()).toBeVisible();
      await home.getByText("How this film stands among the archive's").click();
      await expect(home.getByTestId("standings").getByRole("table")).toBeVisible();
      await home.keyboard.press("m");
      await expect(home.getByTestId("heat")).toBeVisible();
      const beside = home.getByLabel("Beside it");
      if ((await beside.count()) > 0) await beside.selectOption({ index: 1 });
      await check(home, "study");
      await shot(home, `study-${colorScheme}`);
      await home.keyboard.press("?");
      await check(home, "keys");
      await home.keyboard.press("Escape");
      await drop(home, "film", "image/png", readFileSync(filmPath()));
      await settled(home);
      await check(home, "film");
      await drop(home, "notes.txt", "text/plain", Buffer.from("not a film"));
      await expect(home.getByRole("alert")).toBeVisible();
      await check(home, "refusal");
    });

    test("cohorts, map, keeper, API and sign-in have no violation", async ({ home, watch }) => {
      watch.allow(/status of 401/);
      const name = await makeCohort(home, "sex:F");
      await open(home, "Cohorts");
      await home.getByRole("button", { name: "New cohort" }).click();
      await check(home, "new cohort");
      await home.keyboard.press("Escape");
      await home.getByRole("navigation", { name: "Cohorts" }).getByRole("link", { name }).click();
      await expect(home.getByTestId("cohort-studies").getByRole("link").first()).toBeVisible();
      await check(home, "cohort");
      await shot(home, `cohort-${colorScheme}`);
      await open(home, "Map");
      await home.getByRole("button", { name: "Select the rectangle" }).click();
      await check(home, "map");
      await shot(home, `map-${colorScheme}`);
      await open(home, "Keeper");
      await home.getByRole("button", { name: "Index", exact: true }).click();
      await expect(home.getByTestId("jobs").getByRole("article").first()).toBeVisible();
      await check(home, "keeper");
      await shot(home, `keeper-${colorScheme}`);
      await open(home, "API");
      await home.locator("main details").filter({ hasText: "/api/v1/search" }).first().locator("summary").click();
      await check(home, "API");
      await shot(home, `api-${colorScheme}`);
      await home.goto(`${guarded().address}/`);
      await expect(home.getByLabel("Token")).toBeFocused();
      await check(home, "sign-in");
    });
  });
}

const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

for (const [name, viewport] of Object.entries({
  desktop: { width: 1920, height: 1080 },
  laptop: { width: 1280, height: 720 },
  "tablet-landscape": { width: 1024, height: 768 },
  tablet: { width: 820, height: 1180 },
})) {
  test.describe(name, () => {
    test.use({ viewport });

    test("nothing runs over the edge, and the notice stays in sight", async ({ page }) => {
      await page.goto(`${address()}/`);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await search(page, "left pleural effusion");
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await page.mouse.wheel(0, 2000);
      await expect(page.getByRole("banner").getByText("Not for diagnosis")).toBeInViewport();
      await page.evaluate(() => scrollTo(0, 0));
      await shot(page, `results-${name}`);
      await cards(page).first().locator("a.open").click();
      await expect(page.getByTestId("report")).toBeVisible();
      await expect(page.getByTestId("film")).toHaveClass(/loaded/);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await shot(page, `study-${name}`);
      await page.getByRole("button", { name: "Similar films and reports" }).click();
      await settled(page);
      expect(await overflow(page)).toBeLessThanOrEqual(0);
      await shot(page, `similar-${name}`);
      for (const view of ["Cohorts", "Map", "Keeper", "API"] as const) {
        await open(page, view);
        await expect(page.locator("main[aria-busy], main [aria-busy=true]")).toHaveCount(0);
        expect(await overflow(page), view).toBeLessThanOrEqual(0);
        await expect(page.getByRole("banner").getByText("Not for diagnosis")).toBeInViewport();
        await shot(page, `${view.toLowerCase()}-${name}`);
      }
    });
  });
}
