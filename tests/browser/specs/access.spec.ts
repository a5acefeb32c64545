/** Keyboard, contrast, themes and widths. */

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { violations } from "../support/axe.ts";
import { address, cards, drop, expect, filmPath, search, settled, shot, test } from "../support/test.ts";

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

    test("no view has a serious violation", async ({ home }) => {
      const check = async (view: string) => expect(await violations(home), view).toEqual([]);
      await check("home");
      await search(home, "small left pleural effusion, no pneumothorax");
      await cards(home).first().getByText("score (not a probability)").click();
      await check("films");
      await shot(home, `results-${colorScheme}`);
      await home.getByText("Reports", { exact: true }).click();
      await settled(home);
      await check("reports");
      await home.getByRole("button", { name: "What filters can say" }).click();
      await check("filter help");
      await home.keyboard.press("Escape");
      await cards(home, "reports").first().locator("a.open").click();
      await expect(home.getByTestId("report")).toBeVisible();
      await check("study");
      await shot(home, `study-${colorScheme}`);
      await home.keyboard.press("?");
      await check("keys");
      await home.keyboard.press("Escape");
      await drop(home, "film", "image/png", readFileSync(filmPath()));
      await settled(home);
      await check("film");
      await drop(home, "notes.txt", "text/plain", Buffer.from("not a film"));
      await expect(home.getByRole("alert")).toBeVisible();
      await check("refusal");
    });
  });
}

const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

for (const [name, viewport] of Object.entries({
  desktop: { width: 1920, height: 1080 },
  laptop: { width: 1280, height: 720 },
  "tablet-landscape": { width: 1024, height: 768 },
  tablet: { width: 768, height: 1024 },
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
    });
  });
}
