/** Looking at a study. */

import type { Page } from "@playwright/test";
import { address, cards, expect, search, settled, shot, test } from "../support/test.ts";

const film = (page: Page) => page.getByTestId("film");

async function openStudy(page: Page, index = 0): Promise<void> {
  await search(page, "left pleural effusion");
  await cards(page).nth(index).locator("a.open").click();
  await expect(page).toHaveURL(/#\/study\/[0-9A-Za-z_-]+$/);
  await expect.poll(() => film(page).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
}

test("a study shows its film, its report by section and its labels, and back keeps the results", async ({
  home,
  watch,
}) => {
  await openStudy(home, 1);
  await expect(film(home)).toHaveAttribute("alt", /^Film 1 of \d+/);
  await expect(home.getByTestId("report").getByRole("heading", { level: 3 }).first()).toBeVisible();
  await expect(home.getByTestId("labels").getByRole("listitem").first()).toBeVisible();
  await shot(home, "study");
  const searches = () => watch.requests.filter((request) => request.url().includes("/search")).length;
  const before = searches();
  await home.getByRole("button", { name: "Results" }).click();
  await expect(cards(home).nth(1).locator("a.open")).toBeFocused();
  await expect(home.getByRole("textbox", { name: "Search the archive" })).toHaveValue("left pleural effusion");
  expect(searches()).toBe(before);
});

test("arrows go to the next and the previous result, and escape goes back to the one shown last", async ({ home }) => {
  await openStudy(home);
  const place = home.getByRole("navigation", { name: "Results" });
  await expect(place).toContainText(/^\s*1 of \d+/);
  await home.keyboard.press("ArrowRight");
  await expect(place).toContainText(/^\s*2 of \d+/);
  await home.keyboard.press("ArrowRight");
  await expect(place).toContainText(/^\s*3 of \d+/);
  await home.keyboard.press("ArrowLeft");
  await expect(place).toContainText(/^\s*2 of \d+/);
  await home.keyboard.press("Escape");
  await expect(cards(home).nth(1).locator("a.open")).toBeFocused();
});

test("the viewer's keys zoom, fit, invert, window and reset", async ({ home }) => {
  await openStudy(home);
  const zoom = home.getByLabel("Zoom", { exact: true });
  const filter = () => film(home).evaluate((img) => getComputedStyle(img).filter);
  const plain = await filter();
  await expect(zoom).toHaveText("100%");
  await home.keyboard.press("+");
  await expect(zoom).toHaveText("125%");
  await home.keyboard.press("-");
  await expect(zoom).toHaveText("100%");
  await home.keyboard.press("z");
  await expect(zoom).not.toHaveText("100%");
  await home.keyboard.press("=");
  await expect(zoom).toHaveText("100%");
  await home.keyboard.press("i");
  await expect(home.getByRole("button", { name: "Invert" })).toHaveAttribute("aria-pressed", "true");
  await home.keyboard.press("2");
  expect(await filter()).toContain("contrast(1.5)");
  expect(await filter()).toContain("invert(1)");
  await home.keyboard.press(" ");
  await expect.poll(filter).toBe(plain);
});

test("the heat map of the words is shown on the film, says where it is highest, and keeps them out of addresses", async ({
  home,
}) => {
  await openStudy(home);
  const heat = home.getByTestId("heat");
  await expect(heat).toHaveCount(0);
  await home.getByRole("button", { name: "Heat map" }).click();
  await expect(heat).toBeVisible();
  await expect(home.getByRole("button", { name: "Heat map" })).toHaveAttribute("aria-pressed", "true");
  await expect(home.getByText(/^Highest in the .* part/)).toContainText("not where a disease is");
  const covered = await heat.evaluate((canvas: HTMLCanvasElement) => {
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return Array.from(data).filter((value, place) => place % 4 === 3 && value > 0).length;
  });
  expect(covered).toBeGreaterThan(0);
  await shot(home, "study-heat");
  await home.keyboard.press("m");
  await expect(heat).toHaveCount(0);
});

test("the wheel zooms where the pointer is, and dragging pans", async ({ home }) => {
  await openStudy(home);
  const box = await film(home).boundingBox();
  if (!box) throw new Error("the film has no place on the screen");
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await home.mouse.move(middle.x, middle.y);
  await home.mouse.wheel(0, -500);
  await expect(home.getByLabel("Zoom", { exact: true })).not.toHaveText("100%");
  const before = await film(home).boundingBox();
  await home.mouse.down();
  await home.mouse.move(middle.x + 60, middle.y + 40, { steps: 4 });
  await home.mouse.up();
  const after = await film(home).boundingBox();
  expect((after?.x ?? 0) - (before?.x ?? 0)).toBeCloseTo(60, 0);
  expect((after?.y ?? 0) - (before?.y ?? 0)).toBeCloseTo(40, 0);
  await shot(home, "study-zoomed");
});

test("similar films and reports are found from a study, with its film beside them", async ({ home }) => {
  await openStudy(home);
  await home.getByRole("button", { name: "Similar films and reports" }).click();
  await settled(home);
  await expect(home.getByRole("img", { name: "The film that is searched with" })).toBeVisible();
  await expect(cards(home, "images").first()).toBeVisible();
  await expect(cards(home, "reports").first()).toBeVisible();
  await shot(home, "similar");
});

test("a study's address can be opened by itself, and leads to the search", async ({ home }) => {
  await openStudy(home);
  const studyAddress = home.url();
  await home.goto("about:blank");
  await home.goto(studyAddress);
  await expect(home.getByTestId("report")).toBeVisible();
  await home.keyboard.press("Escape");
  await expect(home.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
});

test("an unknown study is a readable error", async ({ page, watch }) => {
  watch.allow(/404/);
  await page.goto(`${address()}/#/study/00000000000000000000000000000000`);
  await expect(page.getByRole("alert")).toContainText("The study cannot be shown");
  await expect(page.getByRole("button", { name: "Try again" })).toBeVisible();
});
