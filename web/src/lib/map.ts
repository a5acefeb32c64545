/** The map of films: where a point is on screen, which points are meant, and what colour they have. */

export interface Point {
  x: number;
  y: number;
}

/** What of the map is seen: the middle, and how much larger than the whole. */
export interface MapView {
  x: number;
  y: number;
  scale: number;
}

export const whole: MapView = { x: 0, y: 0, scale: 1 };

/** Room around the points, as a share of the map. */
const margin = 1.06;

/** Pixels of one unit of the map. */
const unit = (size: { width: number; height: number }, scale: number): number =>
  (Math.min(size.width, size.height) / 2 / margin) * scale;

export function toScreen(at: Point, view: MapView, size: { width: number; height: number }): Point {
  const u = unit(size, view.scale);
  return { x: size.width / 2 + (at.x - view.x) * u, y: size.height / 2 - (at.y - view.y) * u };
}

export function toMap(at: Point, view: MapView, size: { width: number; height: number }): Point {
  const u = unit(size, view.scale);
  return { x: view.x + (at.x - size.width / 2) / u, y: view.y - (at.y - size.height / 2) / u };
}

/** Zooms by `factor`; the place under `at` (on screen) stays. */
export function zoomed(view: MapView, factor: number, at: Point, size: { width: number; height: number }): MapView {
  const before = toMap(at, view, size);
  const scale = Math.min(60, Math.max(1, view.scale * factor));
  if (scale === 1) return whole;
  const after = toMap(at, { ...view, scale }, size);
  return { scale, x: view.x + before.x - after.x, y: view.y + before.y - after.y };
}

/** The point nearest to a place on screen, within `reach` pixels; -1 where there is none. */
export function nearest(points: Point[], at: Point, view: MapView, size: { width: number; height: number }, reach = 14): number {
  let best = -1;
  let least = reach ** 2;
  points.forEach((point, i) => {
    const seen = toScreen(point, view, size);
    const distance = (seen.x - at.x) ** 2 + (seen.y - at.y) ** 2;
    if (distance < least) {
      least = distance;
      best = i;
    }
  });
  return best;
}

/** The points inside a closed line, by the even-odd rule. */
export function inside(points: Point[], line: Point[]): number[] {
  if (line.length < 3) return [];
  const found: number[] = [];
  points.forEach((point, i) => {
    if (contains(line, point)) found.push(i);
  });
  return found;
}

function contains(line: Point[], { x, y }: Point): boolean {
  let within = false;
  let last = line[line.length - 1];
  for (const corner of line) {
    if (last && corner.y > y !== last.y > y && x < ((last.x - corner.x) * (y - corner.y)) / (last.y - corner.y) + corner.x) {
      within = !within;
    }
    last = corner;
  }
  return within;
}

/** The points of a rectangle, given by any two opposite corners. */
export function inRectangle(points: Point[], a: Point, b: Point): number[] {
  const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
  const [low, high] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
  return points.flatMap(({ x, y }, i) => (x >= left && x <= right && y >= low && y <= high ? [i] : []));
}

/** The study of a film: its key without the number. */
export const studyOf = (film: string): string => film.slice(0, film.lastIndexOf("-"));

/** The studies of these films, each once. */
export const studiesOf = (films: string[]): string[] => [...new Set(films.map(studyOf))];

/** How many films show each finding, most frequent first. */
export function tally(findings: string[][]): { finding: string; films: number }[] {
  const counts = new Map<string, number>();
  for (const all of findings) for (const finding of new Set(all)) counts.set(finding, (counts.get(finding) ?? 0) + 1);
  return [...counts].map(([finding, films]) => ({ finding, films })).sort((a, b) => b.films - a.films);
}

/** Place of the colour for each film among `coloured`; -1 for a film with none of them. The rarest counts first. */
export const colours = (findings: string[][], coloured: string[]): number[] =>
  findings.map((all) => {
    for (let i = coloured.length - 1; i >= 0; i -= 1) if (all.includes(coloured[i] ?? "")) return i;
    return -1;
  });

/** Told apart by lightness and shape as well. On dark, and on light ground. */
export const palettes = {
  dark: ["#63d2e6", "#f0bf62", "#ff9d92", "#b7a3ff", "#8fdc8b", "#ff9bd2", "#e8eef3", "#d98a4b"],
  light: ["#0b6a7e", "#8a5a00", "#b3261e", "#5b3cc4", "#1f7a2e", "#a3206f", "#14202b", "#8f4a12"],
};

export const shapes = ["●", "■", "▲", "◆"];

export const shapeOf = (place: number): string => shapes[place % shapes.length] ?? "●";
