/**
 * Ticking values of a filter expression. What was ticked for one field is a test (`sex:F`) or tests of that field in brackets
 * (`(sex:F OR sex:M)`), at the top of the expression; all else that was typed is left as it is.
 */

/** Pieces of an expression at its top level, blanks between them left out. */
function pieces(filter: string): string[] {
  const found: string[] = [];
  let piece = "";
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < filter.length; i += 1) {
    const letter = filter.charAt(i);
    if (letter === "\\") {
      piece += letter + filter.charAt((i += 1));
      continue;
    }
    if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === "(") depth += 1;
    else if (!quoted && letter === ")") depth -= 1;
    if (/\s/.test(letter) && !quoted && depth <= 0) {
      if (piece !== "") found.push(piece);
      piece = "";
    } else piece += letter;
  }
  if (piece !== "") found.push(piece);
  return found;
}

const test = /^([\p{L}_][\w-]*):("(?:[^"\\]|\\.)*"|[^\s()"]+)$/u;

/** The test of a value, with quotation marks where it needs them. */
export const written = (field: string, value: string): string =>
  /^[\p{L}\p{N}_.-]+$/u.test(value) ? `${field}:${value}` : `${field}:"${value.replace(/["\\]/g, "\\$&")}"`;

function read(piece: string): { field: string; value: string } | null {
  const parts = test.exec(piece);
  if (!parts?.[1] || parts[2] === undefined) return null;
  const value = parts[2].startsWith('"') ? parts[2].slice(1, -1).replace(/\\(.)/g, "$1") : parts[2];
  return { field: parts[1], value };
}

/** The values that a piece ticks for a field; `null` where it is something else. */
function ticks(piece: string, field: string): string[] | null {
  const inner = piece.startsWith("(") && piece.endsWith(")") ? pieces(piece.slice(1, -1)) : [piece];
  const values: string[] = [];
  for (const [i, one] of inner.entries()) {
    if (i % 2 === 1) {
      if (one !== "OR") return null;
      continue;
    }
    const found = read(one);
    if (found?.field.toLowerCase() !== field.toLowerCase()) return null;
    values.push(found.value);
  }
  return inner.length % 2 === 1 && values.length > 0 ? values : null;
}

/** True where operators at the top hold the pieces together: there is nothing to tick then but by adding brackets. */
const isEither = (all: string[]): boolean => all.some((piece) => ["OR", "AND", "NOT"].includes(piece));

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The values of a field that are ticked. */
export function ticked(filter: string, field: string): string[] {
  const all = pieces(filter);
  if (isEither(all)) return [];
  const first = all.map((piece) => ticks(piece, field)).find((values) => values !== null);
  return first ?? [];
}

/** The expression with a value ticked, or no longer. */
export function toggled(filter: string, field: string, value: string): string {
  const all = pieces(filter);
  const base = isEither(all) ? [`(${filter.trim()})`] : all;
  const at = base.findIndex((piece) => ticks(piece, field) !== null);
  const before = at < 0 ? [] : (ticks(base[at] ?? "", field) ?? []);
  const after = before.some((one) => same(one, value)) ? before.filter((one) => !same(one, value)) : [...before, value];
  const tests = after.map((one) => written(field, one));
  const piece = tests.length > 1 ? [`(${tests.join(" OR ")})`] : tests;
  return (at < 0 ? [...base, ...piece] : [...base.slice(0, at), ...piece, ...base.slice(at + 1)]).join(" ");
}

/** The expression without what is ticked for a field: to count its values as if none were. */
export function without(filter: string, field: string): string {
  const all = pieces(filter);
  if (isEither(all)) return filter;
  const at = all.findIndex((piece) => ticks(piece, field) !== null);
  return all.filter((_, place) => place !== at).join(" ");
}
