import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

/**
 * Drives the built thorax in a real Chromium. Environment:
 * - `THORAX_BIN`  the program, `../../target/release/thorax` where unset
 * - `CHROMIUM`    the browser, an installed one where unset (see `chromium.sh`)
 * - `THORAX_URL`  a server that serves the same phantoms already, with `THORAX_FILM` and `THORAX_OTHER_FILM` of its films
 */
const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const chromium = process.env["CHROMIUM"] ?? installed.find(existsSync) ?? "chromium";

export default defineConfig({
  testDir: "specs",
  outputDir: "output/failures",
  globalSetup: "./support/server.ts",
  // One home, one server, one small machine.
  workers: 1,
  fullyParallel: false,
  timeout: 60_000,
  globalTimeout: 20 * 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ["./support/tally.ts"]],
  use: {
    browserName: "chromium",
    colorScheme: "dark",
    viewport: { width: 1280, height: 820 },
    trace: "off",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
