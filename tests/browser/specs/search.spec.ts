/** Searching by words. */

import { address, cards, expect, search, settled, shot, test } from "../support/test.ts";

test("the page opens with the search focused and says that it is not for diagnosis", async ({ home }) => {
  await expect(home.getByRole("banner").getByText("Not for diagnosis")).toBeVisible();
  await expect(home.getByRole("contentinfo")).toContainText("Not for diagnosis");
  await expect(home.getByRole("banner")).toContainText("60 studies");
  await shot(home, "home");
});

test("the server sends a strict content policy, and the page lives with it", async ({ page }) => {
  const response = await page.goto(`${address()}/`);
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("style-src 'self'");
  expect(policy).not.toContain("unsafe");
});

test("words find films: thumbnails load and the query is understood", async ({ home }) => {
  await search(home, "left pleural effusion");
  const understood = home.getByTestId("understood").getByRole("listitem");
  await expect(understood.filter({ hasText: "left" }).filter({ hasText: "Pleural Effusion" })).toHaveAttribute(
    "data-polarity",
    "present",
  );
  const found = await cards(home).count();
  expect(found).toBeGreaterThan(0);
  const images = cards(home).locator("img");
  for (let i = 0; i < found; i += 1) {
    await images.nth(i).scrollIntoViewIfNeeded();
    await expect.poll(() => images.nth(i).evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
    await expect(images.nth(i)).toHaveAttribute("alt", `Film ${i + 1} of ${found}`);
  }
  await expect(home.getByTestId("live")).toHaveText(new RegExp(`^${found} films? found\\.`));
  await home.evaluate(() => scrollTo(0, 0));
  await shot(home, "results");
});

test("a negated finding is shown as absent, in the query and in the results", async ({ home }) => {
  await search(home, "no pleural effusion");
  const chip = home.getByTestId("understood").getByRole("listitem").filter({ hasText: "Pleural Effusion" });
  await expect(chip).toHaveAttribute("data-polarity", "absent");
  await expect(chip).toContainText(/^no\b/);
  // What the query excludes is not among the results.
  await expect(cards(home).locator('[data-polarity="present"]', { hasText: "Pleural Effusion" })).toHaveCount(0);
  await shot(home, "absent");
});

test("the same words find reports, with the sentence that matched", async ({ home }) => {
  await search(home, "left pleural effusion");
  await home.getByText("Reports", { exact: true }).click();
  await settled(home);
  await expect(cards(home, "reports").first().locator("blockquote")).not.toBeEmpty();
  await shot(home, "reports");
});

test("a filter narrows the results, and a number limits them", async ({ home }) => {
  await home.getByLabel("Filter", { exact: true }).fill("sex:F");
  await search(home, "cardiomegaly");
  const facts = await cards(home).locator("a.open").allInnerTexts();
  expect(facts.length).toBeGreaterThan(0);
  expect(facts.filter((text) => !/(^|· )F\b/.test(text))).toEqual([]);
  await home.getByLabel("Results", { exact: true }).selectOption("12");
  await settled(home);
  expect(await cards(home).count()).toBeLessThanOrEqual(12);
});

test("the filter's help adds examples to the filter", async ({ home }) => {
  await home.getByRole("button", { name: "What filters can say" }).click();
  await home.getByRole("button", { name: "Add sex:F to the filter" }).click();
  await home.getByRole("button", { name: "Add view:PA to the filter" }).click();
  await expect(home.getByLabel("Filter", { exact: true })).toHaveValue("sex:F view:PA");
  await shot(home, "filter-help");
  await home.keyboard.press("Escape");
  await expect(home.getByRole("heading", { name: "Filters" })).toBeHidden();
});

test("a score is shown on demand only, and is said to be no probability", async ({ home }) => {
  await search(home, "left pleural effusion");
  const first = cards(home).first();
  await expect(first.getByRole("table")).toBeHidden();
  await first.getByText("score (not a probability)").click();
  await expect(first.getByRole("table")).toBeVisible();
  await expect(home).toHaveURL(/\/(#\/)?$/);
});

test("an example is one click", async ({ home }) => {
  await home.getByRole("button", { name: "left pleural effusion" }).click();
  await settled(home);
  expect(await cards(home).count()).toBeGreaterThan(0);
});
