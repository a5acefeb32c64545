// Fails where the page has outgrown its budget: script and style of all views, compressed.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** All views, the film viewer among them, and what a first visit brings. */
const budget = { page: 250_000, first: 60_000 };

const folder = join(import.meta.dirname, "dist");
let index;
try {
  index = readFileSync(join(folder, "index.html"), "utf8");
} catch {
  console.error("web/dist is not there: npm run build first");
  process.exit(1);
}
const files = readdirSync(join(folder, "assets"))
  .filter((name) => /\.(js|css)$/.test(name))
  .map((name) => ({ name, bytes: readFileSync(join(folder, "assets", name)) }))
  .map(({ name, bytes }) => ({ name, gzip: gzipSync(bytes).length }));
const sum = (some) => some.reduce((all, { gzip }) => all + gzip, 0);
const page = sum(files);
const first = sum(files.filter(({ name }) => index.includes(name)));
const kb = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`all views: ${kb(page)} of ${kb(budget.page)}; first visit: ${kb(first)} of ${kb(budget.first)} (gzip)`);
if (page > budget.page || first > budget.first) {
  for (const { name, gzip } of files.sort((a, b) => b.gzip - a.gzip)) console.error(`${kb(gzip).padStart(10)}  ${name}`);
  console.error("the page is larger than its budget: split it, or leave something out");
  process.exit(1);
}
