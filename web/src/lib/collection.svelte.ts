/** Studies that were collected on the way, to become a cohort. Lives as long as the page. */

import type { Picked } from "./query.ts";

class Collection {
  studies: Picked[] = $state.raw([]);

  has(key: string): boolean {
    return this.studies.some((study) => study.key === key);
  }

  toggle(study: Picked): void {
    this.studies = this.has(study.key) ? this.studies.filter(({ key }) => key !== study.key) : [...this.studies, study];
  }

  clear(): void {
    this.studies = [];
  }
}

export const collection = new Collection();
