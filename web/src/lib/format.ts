/** How facts are worded. */

import type { Finding, Origin, Statement, StudyFacts } from "./types.ts";

const viewNames: Record<string, string> = { PA: "PA", AP: "AP", LATERAL: "Lateral" };
const sexNames: Record<string, string> = { F: "Female", M: "Male" };
const originNames: Record<Origin, string> = {
  truth: "Known truth",
  dataset: "Data set",
  labeler: "Read from the report",
};

export const viewName = (view: string | null): string | null => (view === null ? null : (viewNames[view] ?? view));

export const sexName = (sex: string | null): string | null => (sex === null ? null : (sexNames[sex] ?? sex));

export const originName = (origin: Origin): string => originNames[origin];

/** `57 y`; infants in months, because `0 y` says little. */
export function ageText(age: number | null): string | null {
  if (age === null) return null;
  if (age < 2 && !Number.isInteger(age)) return `${Math.round(age * 12)} mo`;
  return `${Math.floor(age)} y`;
}

/** The date where there is one, else the place on the patient's time line. */
export function timeText(facts: Pick<StudyFacts, "date" | "offset">): string | null {
  if (facts.date !== null) return facts.date;
  return facts.offset === null ? null : `time point ${facts.offset}`;
}

/** View, age, sex and time in one line; what is not known is left out. */
export function factsLine(facts: StudyFacts & { view?: string | null }): string {
  const parts = [viewName(facts.view ?? null), ageText(facts.age), facts.sex, timeText(facts)];
  return parts.filter((part) => part !== null).join(" · ");
}

/** `1 study`, `1,207 studies`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

/** `mild left Pleural Effusion`, without the polarity. */
export function statementText(statement: Statement): string {
  return [statement.severity, statement.side, statement.observation].filter((part) => part !== null).join(" ");
}

const polarityOrder = { present: 0, uncertain: 1, absent: 2 };

/**
 * The findings of a study for a small space: what several sources say alike becomes one, present before
 * uncertain before absent. Sources that disagree, and the two sides, stay side by side; a mention without
 * a side gives way to one with a side.
 */
export function mergeFindings(findings: Finding[]): Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of findings) {
    const { observation, polarity, side, severity } = finding;
    const sided = findings.some((f) => f.observation === observation && f.polarity === polarity && f.side !== null);
    if (side === null && sided) continue;
    const name = `${observation}/${polarity}/${side ?? ""}`;
    const known = merged.get(name);
    merged.set(name, known ? { ...known, severity: known.severity ?? severity } : finding);
  }
  return [...merged.values()].sort((a, b) => polarityOrder[a.polarity] - polarityOrder[b.polarity]);
}

/** True where `finding` is what the query asks for: "left" agrees with "left", "bilateral" and no side. */
export function answers(finding: Finding, asked: Statement): boolean {
  const sides = [finding.side, asked.side];
  const agree = finding.side === asked.side || sides.includes(null) || sides.includes("bilateral");
  return finding.observation === asked.observation && finding.polarity === asked.polarity && agree;
}
