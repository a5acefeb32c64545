/** What the page shows when there is no answer, a late one, or an empty one. */

import { cards, expect, search, settled, shot, test } from "../support/test.ts";

test("a filter that does not parse is a readable error, and can be corrected", async ({ home, watch }) => {
  watch.allow(/status of 4\d\d/);
  const filter = home.getByLabel("Filter", { exact: true });
  await filter.fill("age:((");
  await search(home, "left pleural effusion");
  const alert = home.getByRole("alert");
  await expect(alert).toContainText("The search failed");
  await expect(alert.locator(".message")).toContainText(/filter/i);
  await expect(filter).toHaveAttribute("aria-invalid", "true");
  await shot(home, "filter-error");
  await filter.fill("sex:F");
  await filter.press("Enter");
  await settled(home);
  await expect(cards(home).first()).toBeVisible();
  await expect(filter).toHaveAttribute("aria-invalid", "false");
});

test("a field that does not exist is a readable error", async ({ home, watch }) => {
  watch.allow(/status of 4\d\d/);
  await home.getByLabel("Filter", { exact: true }).fill("colour:blue");
  await search(home, "left pleural effusion");
  await expect(home.getByRole("alert").locator(".message")).toContainText("colour");
});

test("nothing found says so, and offers to search without the filter", async ({ home }) => {
  await home.getByLabel("Filter", { exact: true }).fill("age:150..");
  await search(home, "left pleural effusion");
  await expect(home.getByRole("heading", { name: "No film found" })).toBeVisible();
  await shot(home, "empty");
  await home.getByRole("button", { name: "Search without the filter" }).click();
  await settled(home);
  await expect(cards(home).first()).toBeVisible();
});

test("a server that is gone is a readable error with a retry", async ({ home, watch }) => {
  watch.allow(/ERR_FAILED/);
  await home.route("**/api/v1/search", (route) => route.abort());
  await search(home, "left pleural effusion");
  await expect(home.getByRole("alert")).toContainText("thorax does not answer");
  await expect(home.getByRole("alert")).toContainText("thorax serve");
  await home.unroute("**/api/v1/search");
  await home.getByRole("button", { name: "Try again" }).click();
  await settled(home);
  await expect(cards(home).first()).toBeVisible();
});

test("a fault of the server is told from a fault of the user", async ({ home, watch }) => {
  watch.allow(/status of 500/);
  const json = { code: "internal", message: "thorax failed; its log says why", type: "service" };
  await home.route("**/api/v1/search", (route) => route.fulfill({ status: 500, json }));
  await search(home, "left pleural effusion");
  await expect(home.getByRole("alert")).toContainText(json.message);
  await expect(home.getByRole("alert")).toContainText("terminal");
});

test("a slow answer is announced, and can be called off", async ({ home, watch }) => {
  watch.allow(/ERR_/);
  await home.route("**/api/v1/search", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await route.continue().catch(() => undefined);
  });
  await home.getByRole("textbox", { name: "Search the archive" }).fill("left pleural effusion");
  await home.keyboard.press("Enter");
  await expect(home.getByTestId("results-images")).toHaveAttribute("aria-busy", "true");
  await expect(home.getByText("Still working")).toBeVisible({ timeout: 3000 });
  await shot(home, "slow");
  await home.getByRole("button", { name: "Cancel" }).click();
  await expect(home.getByText("Called off.")).toBeVisible();
  await home.unrouteAll({ behavior: "ignoreErrors" });
  await home.getByRole("button", { name: "Search again" }).click();
  await settled(home);
  await expect(cards(home).first()).toBeVisible();
});

test("a film that cannot be read does not break its card", async ({ home, watch }) => {
  watch.allow(/status of 500/);
  await home.route("**/thumbnail", (route) => route.fulfill({ status: 500, body: "" }));
  await search(home, "left pleural effusion");
  await expect(cards(home).first()).toContainText("Film not readable");
});

test("too many requests say when to come again", async ({ home, watch }) => {
  watch.allow(/status of 429/);
  const json = { code: "too_many_requests", message: "too many requests: come again in 7 seconds", type: "caller" };
  await home.route("**/api/v1/search", (route) => route.fulfill({ status: 429, headers: { "retry-after": "7" }, json }));
  await search(home, "left pleural effusion");
  await expect(home.getByRole("alert")).toContainText("in 7 seconds");
});

test("code of a view that does not come can be asked for again", async ({ home, watch }) => {
  watch.allow(/ERR_FAILED|dynamically imported|preload/);
  await home.route("**/assets/MapView*.js", (route) => route.abort());
  await home.getByRole("navigation", { name: "Views" }).getByRole("link", { name: "Map" }).click();
  await expect(home.getByRole("alert")).toContainText("could not be loaded");
  await shot(home, "view-missing");
});
