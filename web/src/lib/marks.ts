/** Marked words in a text. */

import type { Snippet } from "./types.ts";

export interface Run {
  text: string;
  marked: boolean;
}

/** Cuts a text at its marks, which count characters (Unicode scalar values), not the halves that a string is made of. */
export function runs({ text, marks }: Snippet): Run[] {
  const letters = [...text];
  const cut: Run[] = [];
  let at = 0;
  for (const [from, to] of [...marks].sort((a, b) => a[0] - b[0])) {
    const [start, end] = [Math.max(at, from), Math.min(letters.length, to)];
    if (end <= start) continue;
    if (start > at) cut.push({ text: letters.slice(at, start).join(""), marked: false });
    cut.push({ text: letters.slice(start, end).join(""), marked: true });
    at = end;
  }
  if (at < letters.length) cut.push({ text: letters.slice(at).join(""), marked: false });
  return cut;
}

/** A text with a sentence in it: before, the sentence by its marks, after. Blanks count as one. */
export function find(text: string, snippet: Snippet): { before: string; sentence: Run[]; after: string } | null {
  const words = snippet.text.trim().split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (words.length === 0 || words[0] === "") return null;
  const found = new RegExp(words.join("\\s+")).exec(text);
  if (!found) return null;
  const sentence = found[0] === snippet.text ? runs(snippet) : [{ text: found[0], marked: false }];
  return { before: text.slice(0, found.index), sentence, after: text.slice(found.index + found[0].length) };
}
