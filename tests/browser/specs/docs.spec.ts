/** The pictures of the README, on phantoms: `THORAX_DOCS=1 npm test -- docs` makes them anew in `docs/`. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Page } from "@playwright/test";
import { smaller } from "../support/palette.ts";
import { cards, expect, open, search, test } from "../support/test.ts";

const folder = resolve(import.meta.dirname, "../../../docs");

test.skip(!process.env["THORAX_DOCS"], "only where the pictures are wanted");
test.use({ viewport: { width: 1280, height: 730 } });

async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await page.mouse.move(0, 0);
  const bytes = smaller(await page.screenshot());
  console.log(`${name}.png: ${Math.round(bytes.length / 1000)} kB`);
  writeFileSync(join(folder, `${name}.png`), bytes);
}

test("results", async ({ home }) => {
  await home.getByLabel("Filter", { exact: true }).fill("sex:F");
  await search(home, "small left pleural effusion, no edema");
  await home.getByRole("button", { name: "Values" }).click();
  await expect(home.getByTestId("facets")).toHaveAttribute("aria-busy", "false");
  for (const image of await cards(home).locator("img").all()) {
    await image.scrollIntoViewIfNeeded();
    await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  }
  await home.evaluate(() => scrollTo(0, 0));
  await picture(home, "search");
});

test("viewer with heat map, beside an earlier film", async ({ home }) => {
  await search(home, "large left pleural effusion");
  await home.getByLabel("One for each").selectOption("patient");
  await cards(home).filter({ hasText: "of this patient" }).first().locator("a.open").click();
  await home.getByTestId("timeline").getByRole("button", { name: /^Compare/ }).first().click();
  await expect(home.getByTestId("film-beside")).toHaveClass(/loaded/);
  await home.keyboard.press("m");
  await expect(home.getByTestId("heat")).toBeVisible();
  await picture(home, "viewer");
});

test("map", async ({ home }) => {
  await open(home, "Map");
  await expect(home.getByTestId("map")).toBeVisible();
  await home.getByLabel("Right", { exact: true }).fill("-0.3");
  await home.getByRole("button", { name: "Select the rectangle" }).click();
  await expect(home.getByTestId("selection").getByRole("link").first()).toBeVisible();
  await home.evaluate(() => scrollTo(0, 0));
  await picture(home, "map");
});
