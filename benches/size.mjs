// Size of the binary, and of the code and constants that each crate brings, in KiB, largest first.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';

const binary = process.argv[2];
const symbols = execFileSync('nm', ['--print-size', '--demangle', binary], { encoding: 'utf8', maxBuffer: 1 << 28 });
const sizes = new Map();
for (const line of symbols.split('\n')) {
  const found = /^[0-9a-f]+ ([0-9a-f]+) \w (.+)$/.exec(line);
  if (!found) continue;
  // `<a::B as c::D>::e`, `a::b::c`, `core::ptr::drop_in_place<a::B>`: the first crate named, std only where no other is.
  const crates = [...found[2].matchAll(/(?<![:\w])([a-z_]\w*)::/g)].map((m) => m[1]);
  const name = crates.find((c) => !['core', 'alloc', 'std'].includes(c)) ?? crates[0] ?? 'C and runtime';
  sizes.set(name, (sizes.get(name) ?? 0) + parseInt(found[1], 16));
}
const rows = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 12);
const kib = (bytes) => Math.round(bytes / 1024);
for (const [name, bytes] of rows) console.log(`${name.padEnd(24)}${String(kib(bytes)).padStart(8)}`);
console.log(JSON.stringify({ binary_kib: kib(statSync(binary).size), crates_kib: Object.fromEntries(rows.map(([n, b]) => [n, kib(b)])) }));
