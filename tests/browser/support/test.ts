/** The test function of these specs: a page that is watched for errors, foreign requests and leaks into addresses. */

import { expect, test as base, type Page, type Request } from "@playwright/test";
import { join, resolve } from "node:path";

export { expect };

export const address = (): string => process.env["THORAX_URL"] ?? "";
export const filmPath = (): string => process.env["THORAX_FILM"] ?? "";
export const otherFilm = (): string => process.env["THORAX_OTHER_FILM"] ?? "";

/** A server that asks who is there, and a token for each role. */
export const guarded = (): { address: string; tokens: Record<"reader" | "researcher" | "keeper", string> } =>
  JSON.parse(process.env["THORAX_GUARDED"] ?? "{}") as ReturnType<typeof guarded>;

/** A server on an archive without studies; for one test, which fills it. */
export const emptyAddress = (): string => process.env["THORAX_EMPTY_URL"] ?? "";

/** A screenshot to look at, in `output/`. */
export async function shot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(resolve(import.meta.dirname, "../output"), `${name}.png`) });
}

/** What a test may expect to see go wrong. */
export interface Watch {
  /** Console errors that match are part of the test. */
  allow: (pattern: RegExp) => void;
  /** All requests so far. */
  requests: Request[];
}

export const test = base.extend<{ watch: Watch; home: Page }>({
  watch: [
    async ({ page }, use) => {
      const errors: string[] = [];
      const allowed: RegExp[] = [];
      const requests: Request[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
      });
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("request", (request) => requests.push(request));
      await use({ allow: (pattern) => allowed.push(pattern), requests });
      expect(errors.filter((text) => !allowed.some((pattern) => pattern.test(text)))).toEqual([]);
      const own = [address(), guarded().address, emptyAddress()].flatMap((one) => [`${one}/`, `blob:${one}/`]);
      const urls = requests.map((request) => request.url());
      expect(urls.filter((url) => !own.some((start) => url.startsWith(start)))).toEqual([]);
      // What is searched for stays out of addresses and the title: both end up in histories and logs.
      const told = [...urls.filter((url) => !url.includes("filter=")), page.url(), await page.title()];
      expect(told.filter((text) => /effusion|pneumothorax|cardiomegaly/i.test(text))).toEqual([]);
    },
    { auto: true },
  ],
  /** The page, open and ready. */
  home: async ({ page, watch: _ }, use) => {
    await page.goto(`${address()}/`);
    await expect(page.getByRole("textbox", { name: "Search the archive" })).toBeFocused();
    await use(page);
  },
});

/** Types a query and waits for its results. */
export async function search(page: Page, text: string): Promise<void> {
  await page.getByRole("textbox", { name: "Search the archive" }).fill(text);
  await page.keyboard.press("Enter");
  await settled(page);
}

/** Waits until no list is loading. */
export async function settled(page: Page): Promise<void> {
  await expect(page.locator('[data-testid^="results-"]').first()).toBeVisible();
  await expect(page.locator('[data-testid^="results-"][aria-busy="true"]')).toHaveCount(0);
}

/** Opens a view by its link. */
export async function open(page: Page, view: "Cohorts" | "Map" | "Keeper" | "API"): Promise<void> {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name: view }).click();
  await expect(page.getByRole("heading", { level: 1, name: view })).toBeVisible();
}

let cohorts = 0;

/** A name that no other cohort has. */
export const cohortName = (what: string): string => `${what}-${process.pid}-${(cohorts += 1)}`;

/** Makes a cohort of a filter by the API, and returns its name. */
export async function makeCohort(page: Page, filter: string): Promise<string> {
  const name = cohortName("made");
  const answer = await page.request.post(`${address()}/api/v1/cohorts`, { data: { name, select: { filter, take: "all" } } });
  expect(answer.status(), await answer.text()).toBe(201);
  return name;
}

export const cards = (page: Page, kind: "images" | "reports" = "images") =>
  page.getByTestId(`results-${kind}`).locator("article");

/** Drops a file on the page as the system would. */
export async function drop(page: Page, name: string, type: string, bytes: Buffer, overlayShot?: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle(
    ({ name, type, text }) => {
      const transfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      transfer.items.add(new File([bytes], name, { type }));
      return transfer;
    },
    { name, type, text: bytes.toString("base64") },
  );
  await page.dispatchEvent("main", "dragenter", { dataTransfer });
  await expect(page.getByTestId("drop-overlay")).toBeVisible();
  if (overlayShot) await shot(page, overlayShot);
  await page.dispatchEvent("main", "dragover", { dataTransfer });
  await page.dispatchEvent("main", "drop", { dataTransfer });
  await expect(page.getByTestId("drop-overlay")).toBeHidden();
}
