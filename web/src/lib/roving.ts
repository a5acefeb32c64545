/** Moves the focus between results with the arrow keys, by where they lie on the screen. */

const horizontal: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1 };

/** Focuses the neighbour of the focused element among `items`; false where the key means nothing here. */
export function moveFocus(key: string, items: HTMLElement[]): boolean {
  const from = items.findIndex((item) => item === document.activeElement);
  const current = items[from];
  if (!current) return false;
  const to = destination(key, items, from, current);
  if (!to) return false;
  to.focus();
  return true;
}

function destination(key: string, items: HTMLElement[], from: number, current: HTMLElement): HTMLElement | undefined {
  if (key === "Home") return items[0];
  if (key === "End") return items.at(-1);
  const step = horizontal[key];
  if (step !== undefined) return items[from + step];
  if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
  const here = current.getBoundingClientRect();
  const down = key === "ArrowDown";
  const beyond = items
    .map((item) => ({ item, box: item.getBoundingClientRect() }))
    .filter(({ box }) => (down ? box.top >= here.bottom : box.bottom <= here.top));
  const rowTop = down ? Math.min(...beyond.map(({ box }) => box.top)) : Math.max(...beyond.map(({ box }) => box.top));
  return beyond
    .filter(({ box }) => Math.abs(box.top - rowTop) < 2)
    .sort((a, b) => Math.abs(a.box.left - here.left) - Math.abs(b.box.left - here.left))[0]?.item;
}
