/** Looking at a study. */

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { address, cards, drop, expect, filmPath, search, settled, shot, test } from "../support/test.ts";

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

test("the viewer's keys zoom, fit, invert, window, flip, turn and reset", async ({ home }) => {
  await openStudy(home);
  const zoom = home.getByLabel("Zoom", { exact: true });
  const style = (name: "filter" | "transform") => film(home).evaluate((img, name) => getComputedStyle(img)[name], name);
  const stage = home.getByTestId("stage");
  const plain = await style("filter");
  const upright = await style("transform");
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
  await expect(stage).toContainText("W 62 L 36");
  expect(await style("filter")).toContain("invert(1)");
  await home.keyboard.press("h");
  await expect(stage).toContainText("flipped left to right");
  await home.keyboard.press("r");
  await expect(stage).toContainText("turned right, flipped left to right");
  await shot(home, "study-turned");
  await home.keyboard.press("l");
  await home.keyboard.press("v");
  await expect(stage).toContainText("flipped left to right, flipped top to bottom");
  await home.keyboard.press(" ");
  await expect.poll(() => style("filter")).toBe(plain);
  expect(await style("transform")).toBe(upright);
  await expect(stage).toContainText("W 100 L 50");
});

test("dragging windows, and the tool that is chosen pans", async ({ home }) => {
  await openStudy(home);
  const box = await film(home).boundingBox();
  if (!box) throw new Error("the film has no place on the screen");
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const drag = async (x: number, y: number) => {
    await home.mouse.move(middle.x, middle.y);
    await home.mouse.down();
    await home.mouse.move(middle.x + x, middle.y + y, { steps: 4 });
    await home.mouse.up();
  };
  await drag(-100, 50);
  await expect(home.getByTestId("stage")).toContainText("W 80 L 60");
  await home.getByLabel("Width", { exact: true }).fill("0.5");
  await expect(home.getByTestId("stage")).toContainText("W 50 L 60");
  // What is narrow is made by the server, of all bits.
  await home.getByLabel("Width", { exact: true }).fill("0.3");
  await expect(home.getByTestId("film-exact")).toHaveAttribute("src", /\/window\?center=0\.600&width=0\.300$/);
  await home.getByLabel("Width", { exact: true }).fill("0.5");
  await expect(home.getByTestId("film-exact")).toHaveCount(0);
  await home.mouse.move(middle.x, middle.y);
  await home.mouse.wheel(0, -500);
  await expect(home.getByLabel("Zoom", { exact: true })).not.toHaveText("100%");
  await home.keyboard.press("p");
  await expect(home.getByRole("button", { name: "Pan", exact: true })).toHaveAttribute("aria-pressed", "true");
  const before = await film(home).boundingBox();
  await drag(60, 40);
  const after = await film(home).boundingBox();
  expect((after?.x ?? 0) - (before?.x ?? 0)).toBeCloseTo(60, 0);
  expect((after?.y ?? 0) - (before?.y ?? 0)).toBeCloseTo(40, 0);
  await expect(home.getByTestId("stage")).toContainText("W 50 L 60");
  await shot(home, "study-zoomed");
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
  await expect(home.getByText(/^\s*Highest in the .* part/)).toContainText("not where a disease is");
  const covered = await heat.evaluate((canvas: HTMLCanvasElement) => {
    const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    return Array.from(data).filter((value, place) => place % 4 === 3 && value > 0).length;
  });
  expect(covered).toBeGreaterThan(0);
  await shot(home, "study-heat");
  await home.getByLabel("Opacity").fill("0.2");
  await expect(heat).toHaveCSS("opacity", "0.2");
  const other = home.getByLabel("Words of the heat map").locator("option").nth(1);
  await home.getByLabel("Words of the heat map").selectOption((await other.getAttribute("value")) ?? "");
  await expect(heat).toBeVisible();
  await home.keyboard.press("m");
  await expect(heat).toHaveCount(0);
});

test("the patient's studies are on a time line, and another one can be shown beside", async ({ home }) => {
  await search(home, "no acute findings");
  await home.getByLabel("One for each").selectOption("patient");
  await settled(home);
  await cards(home).filter({ hasText: "of this patient" }).first().locator("a.open").click();
  const line = home.getByTestId("timeline");
  await expect(line.locator('[aria-current="true"]')).toHaveCount(1);
  const dates = await line.getByRole("listitem").locator(".line > :first-child").allInnerTexts();
  expect(dates.length).toBeGreaterThan(1);
  expect(dates).toEqual([...dates].sort());
  await line.getByRole("button", { name: /^Compare/ }).first().click();
  const beside = home.getByTestId("film-beside");
  await expect(beside).toHaveClass(/loaded/);
  await home.keyboard.press("+");
  const scales = () =>
    home.locator('[data-testid^="film"]').evaluateAll((films) => films.map((img) => new DOMMatrix(getComputedStyle(img).transform).a));
  expect(await scales()).toEqual([1.25, 1.25]);
  await shot(home, "study-beside");
  await home.getByRole("button", { name: "Move together" }).click();
  await home.getByRole("button", { name: /^Keys act on/ }).click();
  await home.keyboard.press("=");
  await expect.poll(scales).toEqual([1.25, 1]);
  await home.getByRole("button", { name: "One film" }).click();
  await expect(beside).toHaveCount(0);
  await line.getByRole("link").first().click();
  await expect(line.locator('[aria-current="true"]')).toContainText(/shown/);
});

test("the query film can be shown beside the film that was found", async ({ home }) => {
  await drop(home, "film", "image/png", readFileSync(filmPath()));
  await settled(home);
  await cards(home).nth(1).locator("a.open").click();
  await home.getByLabel("Beside it").selectOption({ label: "Query film" });
  await expect(home.getByTestId("film-beside")).toHaveClass(/loaded/);
  await expect(home.getByTestId("stage")).toHaveCount(2);
});

test("similar studies of other patients are listed, and searched for", async ({ home }) => {
  await openStudy(home);
  await expect(home.getByTestId("similar").getByRole("link").first()).toBeVisible();
  await home.getByRole("button", { name: "Similar films and reports" }).click();
  await settled(home);
  await expect(home.getByRole("img", { name: "The study that is searched with" })).toBeVisible();
  await expect(cards(home, "images").first()).toBeVisible();
  await expect(cards(home, "reports").first()).toBeVisible();
  await shot(home, "similar");
});

test("escape leads back from a similar study to the study, and from there to the results", async ({ home }) => {
  await openStudy(home);
  const first = home.url();
  await home.getByTestId("similar").getByRole("link").first().click();
  await expect(home).not.toHaveURL(first);
  await expect(home.getByTestId("report")).toBeVisible();
  await home.keyboard.press("Escape");
  await expect(home).toHaveURL(first);
  await home.keyboard.press("Escape");
  await expect(cards(home).first().locator("a.open")).toBeFocused();
});

test("the sentence that matched is marked in the report, and the film stands among the others", async ({ home }) => {
  await openStudy(home);
  await expect(home.getByTestId("report").locator("mark").first()).toHaveText(/left|effusion/i);
  await home.getByText("How this film stands among the archive's").click();
  const table = home.getByTestId("standings").getByRole("table");
  await expect(table.getByRole("row")).toHaveCount(14);
  await expect(home.getByTestId("standings")).toContainText("Not a probability");
  await table.scrollIntoViewIfNeeded();
  await shot(home, "standings");
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
