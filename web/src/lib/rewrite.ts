/**
 * Corrects what was understood of a query by rewriting its words, so that the text stays the whole truth of what is asked.
 *
 * The text is cut into pieces, one for each phrase that a finding was read from. The piece that is corrected is written anew;
 * what is wanted comes first, and every absence gets a "no" of its own: a "no" before a list reaches over all of it, and a piece
 * that is taken out of such a list must not fall under it again.
 */

import type { Polarity, Side, Understood } from "./types.ts";

/** What becomes of a chip. */
export type Correction = { polarity: "present" | "absent" } | { side: Side | null } | "remove";

interface Piece {
  text: string;
  phrase: string;
  found: Understood[];
}

/** As the server has it: heart and mediastinum have no side. */
const withoutSides = ["No Finding", "Cardiomegaly", "Enlarged Cardiomediastinum"];

export const hasSides = (observation: string): boolean => !withoutSides.includes(observation);

const between = /\s*(?:[,;.]|\b(?:and|or|nor|but|with|plus)\b)+\s*/gi;
const denial =
  /(?:\b(?:no (?:evidence|signs?) of|negative for|absence of|free of|absent|without|neither|exclude|excluding|no|not|none|nor)\b|(?<![\w-])-(?=\w))\s*(?:any\s+)?/gi;
const sides =
  /\b(?:(?:on|in|at) the )?(?:left|right)(?:[- ]sided?)?(?: (?:side|lung)\b)?|\bbilateral(?:ly)?\b|\bboth(?:[- ]sided?| sides| lungs)?\b|\bbibasilar\b/gi;
const sizes = /\b(?:tiny|trace|minimal|small|mild|moderate|large|massive|marked|severe|big)\b/gi;

/** Signs of the query language: such a text is changed where it stands, and nothing is moved. */
const structured = /["“”()\\]|\b(?:AND|OR|NOT)\b|\w:\S/;

/** The text with one statement corrected. */
export function corrected(text: string, understood: Understood[], at: number, correction: Correction): string {
  const target = understood[at];
  if (!target) return text;
  const pieces = cut(text, understood);
  if (structured.test(text)) return inPlace(text, pieces, target, correction);
  const written = pieces.flatMap((piece) =>
    piece.found.includes(target) ? rewritten(piece, target, correction) : [{ text: tidy(piece), polarity: polarityOf(piece) }],
  );
  const order = [...written.filter((p) => p.polarity !== "absent"), ...written.filter((p) => p.polarity === "absent")];
  return joined(order);
}

/** Words, and whether they deny. */
interface Written {
  text: string;
  polarity: Polarity;
}

const joined = (all: Written[]): string =>
  all
    .map(({ text }) => text)
    .filter((text) => text !== "")
    .join(", ");

const polarityOf = (piece: Piece): Polarity =>
  piece.found.length > 0 && piece.found.every((found) => found.polarity === "absent") ? "absent" : "present";

/** Cuts the text between its phrases. */
function cut(text: string, understood: Understood[]): Piece[] {
  const placed = new Map<string, { from: number; to: number; found: Understood[] }>();
  for (const found of understood) {
    const from = text.toLowerCase().indexOf(found.phrase.toLowerCase());
    if (found.phrase === "" || from < 0) continue;
    const known = placed.get(`${from}`);
    if (known) known.found.push(found);
    else placed.set(`${from}`, { from, to: from + found.phrase.length, found: [found] });
  }
  const phrases = [...placed.values()].sort((a, b) => a.from - b.from);
  const pieces: Piece[] = [];
  let start = 0;
  phrases.forEach((phrase, i) => {
    const next = phrases[i + 1];
    const [end, begin] = next ? border(text, phrase.to, Math.max(phrase.to, next.from)) : [text.length, text.length];
    pieces.push({ text: text.slice(start, end).trim(), phrase: text.slice(phrase.from, phrase.to), found: phrase.found });
    start = begin;
  });
  return pieces;
}

/** Where one piece ends and the next begins: at the last sign between them, before a denial, or behind the phrase. */
function border(text: string, from: number, to: number): [number, number] {
  const gap = text.slice(from, to);
  const sign = [...gap.matchAll(between)].at(-1);
  if (sign) return [from + sign.index, from + sign.index + sign[0].length];
  const no = [...gap.matchAll(denial)].at(-1);
  const at = from + (no?.index ?? 0);
  return [at, at];
}

const squeezed = (text: string): string =>
  text
    .replace(/\s+/g, " ")
    .replace(/^[\s,;.]+|[\s,;.]+$/g, "")
    .trim();

const affirmed = (text: string): string => squeezed(text.replace(denial, ""));

/** A piece that stays, with a "no" of its own where it means one. */
function tidy(piece: Piece): string {
  const text = squeezed(piece.text);
  if (polarityOf(piece) !== "absent" || new RegExp(denial.source, "i").test(text) || isNormal(piece)) return text;
  return `no ${text}`;
}

/** "clear lungs" deny without a "no". */
const isNormal = (piece: Piece): boolean => piece.found.length > 1 || /\b(?:normal|clear|unremarkable)\b/i.test(piece.text);

function rewritten(piece: Piece, target: Understood, correction: Correction): Written[] {
  // One phrase that says several things is written out.
  if (piece.found.length > 1) {
    return piece.found
      .filter((found) => found !== target || correction !== "remove")
      .map((found) => (found === target ? changed(found, correction) : found))
      .map((found) => ({ text: named(found), polarity: found.polarity }));
  }
  if (correction === "remove") return [];
  const next = changed(target, correction);
  const write = (text: string): Written[] => [{ text, polarity: next.polarity }];
  if (target.observation === "No Finding" || isNormal(piece)) return write(named(next));
  let text = affirmed(piece.text);
  if ("side" in correction) {
    text = squeezed(text.replace(sides, ""));
    if (next.side) text = withSide(text, piece.phrase, next.side);
  }
  return write(next.polarity === "absent" ? denied(text, piece.phrase, next.side) : text);
}

/** With a "no" before it. A side behind the finding comes before it, and "no small effusion" would let a large one pass. */
function denied(text: string, phrase: string, side: Side | null): string {
  const at = text.toLowerCase().indexOf(phrase.toLowerCase());
  const plain = at < 0 ? text : squeezed(text.slice(0, at).replace(sizes, "") + text.slice(at));
  const trailing = side !== null && new RegExp(sides.source, "i").test(text.slice(Math.max(0, at) + phrase.length));
  return `no ${trailing ? withSide(squeezed(plain.replace(sides, "")), phrase, side) : plain}`;
}

const changed = (found: Understood, correction: Correction): Understood =>
  correction === "remove" ? found : { ...found, ...correction };

/** Puts the side before the finding, or at the front where the phrase itself held it. */
function withSide(text: string, phrase: string, side: Side): string {
  const bare = squeezed(phrase.replace(sides, ""));
  const at = text.toLowerCase().indexOf(bare.toLowerCase());
  return at < 0 ? `${side} ${text}` : `${text.slice(0, at)}${side} ${text.slice(at)}`;
}

/** A statement in words. */
function named({ observation, polarity, side, severity }: Understood): string {
  if (observation === "No Finding") return polarity === "absent" ? "abnormal" : "no acute findings";
  const words = [side, polarity === "absent" ? null : severity, observation.toLowerCase()];
  return `${polarity === "absent" ? "no " : ""}${words.filter((word) => word !== null).join(" ")}`;
}

/** Changes the piece where it stands. */
function inPlace(text: string, pieces: Piece[], target: Understood, correction: Correction): string {
  const piece = pieces.find(({ found }) => found.includes(target));
  if (!piece) return text;
  const from = text.indexOf(piece.phrase);
  let [start, end] = [from, from + piece.phrase.length];
  const before = /(?:(?:no|not|without|NOT|left|right|bilateral|small|mild|moderate|large|severe)\s+|-)*$/i.exec(text.slice(0, start));
  start -= before?.[0].length ?? 0;
  const words = joined(rewritten({ ...piece, text: text.slice(start, end) }, target, correction));
  if (words !== "") return squeezed(`${text.slice(0, start)}${words}${text.slice(end)}`);
  // Quotation marks and operators that held it go with it.
  const [left, right] = [text.slice(0, start).replace(/["“]$/, ""), text.slice(end).replace(/^["”]/, "").replace(/^\s*,\s*/, "")];
  const held = /\b(?:AND|OR|NOT)\s*$/.test(left);
  const rest = held ? left.replace(/\s*\b(?:AND|OR|NOT)\s*$/, "") + right : left + right.replace(/^\s*\b(?:AND|OR)\b\s*/, "");
  return squeezed(rest.replace(/\(\s*\)/g, ""));
}
