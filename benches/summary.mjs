// One line of JSON: the median of each criterion bench, in nanoseconds.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = process.argv[2];
const figures = {};

function walk(folder) {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (name === 'new') {
      const { median } = JSON.parse(readFileSync(join(path, 'estimates.json'), 'utf8'));
      figures[relative(root, folder)] = Math.round(median.point_estimate);
    } else if (name !== 'base' && name !== 'report' && statSync(path).isDirectory()) {
      walk(path);
    }
  }
}

walk(root);
console.log(JSON.stringify({ unit: 'ns', figures }));
