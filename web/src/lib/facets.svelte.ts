/** Counts for the filter's values: exact, and for a field with ticks as if nothing of it were ticked. */

import { countFacets, type FacetsBody } from "./api/search.ts";
import { ticked, without } from "./filter.ts";
import { Loader } from "./loader.svelte.ts";
import type { Facet, Group, Target } from "./types.ts";

export interface Narrowed {
  text: string;
  filter: string;
  to: Target;
  group: Group;
}

export interface Counts {
  total: number;
  facets: (Facet & { ticked: string[] })[];
}

const top = 12;

export class FacetCounts extends Loader<Counts> {
  count(asked: Narrowed): Promise<Counts | null> {
    return this.run((signal) => count(asked, signal));
  }
}

async function count({ text, filter, to, group }: Narrowed, signal: AbortSignal): Promise<Counts> {
  const body = (expression: string): FacetsBody => ({
    to,
    group,
    top,
    ...(text === "" ? {} : { text }),
    ...(expression.trim() === "" ? {} : { filter: expression }),
  });
  const all = await countFacets(body(filter), signal);
  const facets = await Promise.all(
    all.facets.map(async (facet) => {
      const values = ticked(filter, facet.field);
      if (values.length === 0) return { ...facet, ticked: [] };
      const wide = await countFacets({ ...body(without(filter, facet.field)), fields: [facet.field] }, signal);
      const counted = wide.facets[0] ?? facet;
      // What is ticked stays in sight, also where nothing has it.
      const missing = values.filter((value) => !counted.values.some((one) => same(one.value, value)));
      return { ...counted, values: [...counted.values, ...missing.map((value) => ({ value, count: 0 }))], ticked: values };
    }),
  );
  return { total: all.total, facets };
}

export const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
