/** The map of films. */

import type { Page } from "@playwright/test";
import { address, cohortName, expect, open, shot, test } from "../support/test.ts";

interface FilmMap {
  keys: string[];
  x: number[];
  y: number[];
}

const canvas = (page: Page) => page.getByTestId("map");
const selection = (page: Page) => page.getByTestId("selection");

async function openMap(page: Page): Promise<{ map: FilmMap; place: (i: number) => { x: number; y: number } }> {
  await open(page, "Map");
  await expect(canvas(page)).toBeVisible();
  const map = (await (await page.request.get(`${address()}/api/v1/map?limit=5000`)).json()) as FilmMap;
  const box = await canvas(page).boundingBox();
  if (!box) throw new Error("the map has no place on the screen");
  const unit = Math.min(box.width, box.height) / 2 / 1.06;
  const place = (i: number) => ({
    x: box.x + box.width / 2 + (map.x[i] ?? 0) * unit,
    y: box.y + box.height / 2 - (map.y[i] ?? 0) * unit,
  });
  return { map, place };
}

/** A film with no other near it: pointing at it cannot mean another one. */
function alone({ x, y }: FilmMap): number {
  const gap = (i: number) => Math.min(...x.map((at, j) => (i === j ? 9 : Math.hypot(at - (x[i] ?? 0), (y[j] ?? 0) - (y[i] ?? 0)))));
  return x.map((_, i) => i).sort((a, b) => gap(b) - gap(a))[0] ?? 0;
}

test("pointing at a film shows it, and a click opens its study", async ({ home }) => {
  const { map, place } = await openMap(home);
  const i = alone(map);
  const { x, y } = place(i);
  await home.mouse.move(x, y);
  await expect(home.getByTestId("hovered").getByRole("img")).toHaveAttribute("src", new RegExp(map.keys[i] ?? "none"));
  await shot(home, "map-hover");
  await home.mouse.click(x, y);
  await expect(home).toHaveURL(new RegExp(`#/study/${map.keys[i]?.replace(/-\d+$/, "")}$`));
  await home.keyboard.press("Escape");
  await expect(home.getByRole("heading", { level: 1, name: "Map" })).toBeVisible();
});

test("a lasso selects films, and they become a cohort", async ({ home }) => {
  const { map } = await openMap(home);
  const box = await canvas(home).boundingBox();
  if (!box) throw new Error("the map has no place on the screen");
  // Around the right half.
  const corners = [
    [0.5, 0.01],
    [0.99, 0.01],
    [0.99, 0.99],
    [0.5, 0.99],
  ] as const;
  await home.mouse.move(box.x + box.width * 0.5, box.y + box.height * 0.01);
  await home.mouse.down();
  for (const [x, y] of corners) await home.mouse.move(box.x + box.width * x, box.y + box.height * y, { steps: 6 });
  await home.mouse.up();
  const expected = map.x.filter((x) => x > 0).length;
  await expect(selection(home).getByRole("status")).toContainText(`${expected} films of`);
  await shot(home, "map-lasso");
  await selection(home).getByRole("button", { name: "To a cohort" }).click();
  const name = cohortName("right-half");
  await home.getByRole("dialog").getByLabel("Name").fill(name);
  await home.getByRole("dialog").getByRole("button", { name: "Make the cohort" }).click();
  await expect(home).toHaveURL(new RegExp(`#/cohorts/${name}$`));
  const studies = new Set(map.keys.filter((_, i) => (map.x[i] ?? 0) > 0).map((key) => key.replace(/-\d+$/, "")));
  await expect(home.getByTestId("cohort")).toContainText(`${studies.size} studies of`);
});

test("a rectangle does the same from the keyboard, and findings are coloured by choice", async ({ home }) => {
  const { map } = await openMap(home);
  await home.getByLabel("Left", { exact: true }).fill("-1");
  await home.getByLabel("Right", { exact: true }).fill("0");
  await home.getByLabel("Top", { exact: true }).press("Enter");
  const expected = map.x.filter((x) => x <= 0).length;
  await expect(selection(home).getByRole("status")).toContainText(`${expected} films of`);
  await expect(selection(home).getByRole("link").first()).toHaveAccessibleName("Open the study of film 1");
  await home.getByRole("button", { name: "Clear" }).click();
  await expect(selection(home).getByRole("link")).toHaveCount(0);
  const picture = () => canvas(home).evaluate((map: HTMLCanvasElement) => map.toDataURL());
  const before = await picture();
  await home.getByRole("group", { name: "Coloured by finding" }).getByRole("checkbox").first().setChecked(false);
  await expect.poll(picture).not.toBe(before);
  await home.getByRole("button", { name: "Zoom in" }).click();
  await home.getByRole("button", { name: "The whole map" }).click();
});
