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
  await expect(cards(home, "reports").first().locator("blockquote mark").first()).toHaveText(/left|effusion/i);
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
  await first.getByText("why (score, not a probability)").click();
  await expect(first.getByRole("table")).toBeVisible();
  await expect(first).toContainText("pleural effusion: stated");
  await expect(home).toHaveURL(/\/(#\/)?$/);
});

test("an example is one click", async ({ home }) => {
  await home.getByRole("button", { name: "left pleural effusion" }).click();
  await settled(home);
  expect(await cards(home).count()).toBeGreaterThan(0);
});

test("what was understood can be corrected, and the words change with it", async ({ home }) => {
  const chip = (name: RegExp) => home.getByTestId("understood").getByRole("button", { name });
  const item = (text: string) => home.getByTestId("understood").getByRole("listitem").filter({ hasText: text });
  const box = home.getByRole("textbox", { name: "Search the archive" });
  await search(home, "no effusion, pneumothorax or edema");
  await chip(/^no Pneumothorax/).click();
  await shot(home, "chip-menu");
  await home.getByRole("button", { name: "Present", exact: true }).click();
  await settled(home);
  await expect(box).toHaveValue("pneumothorax, no effusion, no edema");
  await expect(item("Pneumothorax")).toHaveAttribute("data-polarity", "present");
  await expect(item("Pleural Effusion")).toHaveAttribute("data-polarity", "absent");
  await chip(/^shows Pneumothorax/).click();
  await home.getByRole("button", { name: "Right", exact: true }).click();
  await settled(home);
  await expect(box).toHaveValue("right pneumothorax, no effusion, no edema");
  await expect(chip(/^shows right Pneumothorax/)).toBeVisible();
  await chip(/^no Edema/).click();
  await home.getByRole("button", { name: "Remove" }).click();
  await settled(home);
  await expect(box).toHaveValue("right pneumothorax, no effusion");
  await expect(item("Edema")).toHaveCount(0);
  await expect(item("Pleural Effusion")).toHaveAttribute("data-polarity", "absent");
});

test("results come page by page, with the tail behind a line, and can be without it", async ({ home }) => {
  await home.getByLabel("Results", { exact: true }).selectOption("12");
  await search(home, "left pleural effusion");
  await expect(cards(home)).toHaveCount(12);
  const divide = home.getByText(/^(Behind here nothing says|Nothing is known to be)/);
  while (await home.getByRole("button", { name: "More films" }).isVisible()) {
    const before = await cards(home).count();
    await home.getByRole("button", { name: "More films" }).click();
    await expect.poll(() => cards(home).count()).toBeGreaterThan(before);
  }
  await expect(divide).toBeVisible();
  const ranks = await cards(home).locator(".rank").allInnerTexts();
  expect(ranks.map(Number)).toEqual(ranks.map((_, i) => i + 1));
  const all = ranks.length;
  await divide.scrollIntoViewIfNeeded();
  await shot(home, "tail");
  await home.getByLabel("Without the tail").check();
  await settled(home);
  await expect(divide).toHaveCount(0);
  expect(await cards(home).count()).toBeLessThan(all);
  await expect(home).toHaveURL(/#\/\?k=12&cut=1$/);
});

test("results can be patients", async ({ home }) => {
  await search(home, "no acute findings");
  await home.getByLabel("One for each").selectOption("patient");
  await settled(home);
  await expect(home.getByTestId("results-images").locator("header")).toContainText(/\d+ patients/);
  await expect(cards(home).getByText("of this patient").first()).toBeVisible();
});

test("likes and dislikes refine the search", async ({ home, watch }) => {
  await search(home, "cardiomegaly");
  await home.getByRole("button", { name: "More like film 2", exact: true }).click();
  await home.getByRole("button", { name: "Less like film 1", exact: true }).click();
  await expect(home.getByTestId("judged").getByRole("img")).toHaveCount(2);
  await shot(home, "liked");
  const [liked, unliked] = await Promise.all(
    [1, 0].map((n) => cards(home).nth(n).locator("a.open").getAttribute("data-key")),
  );
  await home.getByRole("button", { name: "Search again with 2 likes" }).click();
  await settled(home);
  const body = watch.requests.filter((request) => request.url().endsWith("/search")).at(-1)?.postDataJSON() as unknown;
  expect(body).toMatchObject({ text: "cardiomegaly", like: [liked], unlike: [unliked] });
  const keys = await cards(home).locator("a.open").evaluateAll((links) => links.map((link) => link.getAttribute("data-key")));
  expect(keys).not.toContain(liked);
  expect(keys).not.toContain(unliked);
  await home.getByRole("button", { name: /^Take back: more like/ }).click();
  await expect(home.getByTestId("judged").getByRole("img")).toHaveCount(1);
});

test("back, forward and reload find a search again, and the address says nothing of it", async ({ home }) => {
  const box = home.getByRole("textbox", { name: "Search the archive" });
  await search(home, "left pleural effusion");
  await home.getByLabel("Filter", { exact: true }).fill("sex:F");
  await search(home, "cardiomegaly");
  await home.goBack();
  await expect(box).toHaveValue("left pleural effusion");
  await expect(home.getByLabel("Filter", { exact: true })).toHaveValue("");
  await settled(home);
  await home.goForward();
  await expect(box).toHaveValue("cardiomegaly");
  await home.reload();
  await expect(box).toHaveValue("cardiomegaly");
  await expect(home.getByLabel("Filter", { exact: true })).toHaveValue("sex:F");
  await settled(home);
  await expect(cards(home).first()).toBeVisible();
  await home.goBack();
  await home.goBack();
  await expect(home.getByRole("heading", { level: 1, name: "Search your archive" })).toBeVisible();
});
