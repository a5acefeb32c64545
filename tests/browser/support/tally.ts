/** Ends the output with one plain line: `N passed, M failed`, and how many did not run where some did not. */

import type { FullConfig, FullResult, Reporter, Suite, TestCase } from "@playwright/test/reporter";

export default class Tally implements Reporter {
  #suite: Suite | undefined;
  #status: FullResult["status"] = "failed";

  onBegin(_: FullConfig, suite: Suite): void {
    this.#suite = suite;
  }

  onEnd({ status }: FullResult): void {
    this.#status = status;
  }

  async onExit(): Promise<void> {
    const tests = this.#suite?.allTests() ?? [];
    const ran = tests.filter((test: TestCase) => test.results.some(({ status }) => status !== "skipped"));
    const passed = ran.filter((test) => test.ok()).length;
    const rest = tests.length - ran.length;
    const more = rest > 0 ? `, ${rest} not run` : this.#status === "passed" ? "" : ` (${this.#status})`;
    console.log(`${passed} passed, ${ran.length - passed} failed${more}`);
  }

  printsToStdio(): boolean {
    return false;
  }
}
