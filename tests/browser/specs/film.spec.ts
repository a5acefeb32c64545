/** Searching with a film. */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Page } from "@playwright/test";
import { cards, drop, expect, filmPath, otherFilm, search, settled, shot, test } from "../support/test.ts";

const type = (): string => (filmPath().endsWith("png") ? "image/png" : "image/jpeg");

async function bothLists(page: Page): Promise<void> {
  await settled(page);
  const query = page.getByRole("img", { name: "The film that is searched with" });
  await expect.poll(() => query.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
  await expect(cards(page, "images").first()).toBeVisible();
  await expect(cards(page, "reports").first().locator("blockquote")).not.toBeEmpty();
}

test("a film dropped on the page finds similar films and reports", async ({ home, watch }) => {
  await drop(home, basename(filmPath()), type(), readFileSync(filmPath()), "drop-overlay");
  await bothLists(home);
  const posts = watch.requests.filter((request) => request.url().endsWith("/search/films"));
  expect(posts).toHaveLength(2);
  // Names of files can be patients': they stay in the page.
  expect(posts.filter((request) => request.postData()?.includes(basename(filmPath())))).toEqual([]);
  await shot(home, "film");
  await home.getByRole("button", { name: "New search" }).click();
  await expect(home.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(home.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
});

test("a film can be chosen from a file", async ({ home }) => {
  const choosing = home.waitForEvent("filechooser");
  await home.getByRole("button", { name: /^Film/ }).click();
  await (await choosing).setFiles(filmPath());
  await bothLists(home);
});

test("a film can be pasted", async ({ home }) => {
  await home.evaluate(
    ({ text, type }) => {
      const clipboardData = new DataTransfer();
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      clipboardData.items.add(new File([bytes], "pasted", { type }));
      document.activeElement?.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    },
    { text: readFileSync(filmPath()).toString("base64"), type: type() },
  );
  await bothLists(home);
});

test("a filter holds for a film as well", async ({ home }) => {
  await drop(home, "film", type(), readFileSync(filmPath()));
  await bothLists(home);
  await home.getByLabel("Filter", { exact: true }).fill("sex:M");
  await home.keyboard.press("Enter");
  await settled(home);
  const facts = await cards(home).locator("a.open").allInnerTexts();
  expect(facts.length).toBeGreaterThan(0);
  expect(facts.filter((text) => !/(^|· )M\b/.test(text))).toEqual([]);
});

test("a file that is no image is refused in words, and nothing is sent", async ({ home, watch }) => {
  await drop(home, "notes.txt", "text/plain", Buffer.from("not a film"));
  await expect(home.getByRole("alert")).toContainText("“notes.txt” is not an image");
  expect(watch.requests.filter((request) => request.method() === "POST")).toEqual([]);
  await shot(home, "wrong-file");
  await home.getByRole("button", { name: "Dismiss" }).click();
  await expect(home.getByRole("alert")).toHaveCount(0);
});

test("a damaged image is a readable error", async ({ home, watch }) => {
  watch.allow(/status of 4\d\d/);
  const damaged = readFileSync(filmPath()).subarray(0, 60);
  await drop(home, "damaged", type(), damaged);
  await settled(home);
  const alert = home.getByTestId("results-images").getByRole("alert");
  await expect(alert).toContainText("The search failed");
  await expect(alert.locator(".message")).not.toContainText(/panick|internal|The server answered/i);
  await shot(home, "damaged-file");
});

test("several films are searched with together, and words beside them", async ({ home, watch }) => {
  const choosing = home.waitForEvent("filechooser");
  await home.getByRole("button", { name: /^Film/ }).click();
  await (await choosing).setFiles([filmPath(), otherFilm()]);
  await settled(home);
  await expect(home.getByRole("img", { name: /^Film \d that is searched with$/ })).toHaveCount(2);
  await search(home, "no pleural effusion");
  await expect(home.getByTestId("understood")).toContainText("Pleural Effusion");
  const posts = watch.requests.filter((request) => request.url().endsWith("/search/films"));
  expect(posts).toHaveLength(4);
  await expect(cards(home).locator('[data-polarity="present"]', { hasText: "Pleural Effusion" })).toHaveCount(0);
  await shot(home, "films");
  await home.getByRole("button", { name: "Search without film 2" }).click();
  await settled(home);
  await expect(home.getByRole("img", { name: "The film that is searched with" })).toBeVisible();
});
