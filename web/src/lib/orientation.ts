/** Turning and flipping a film on screen. */

import type { Size } from "./viewport.ts";

export interface Orientation {
  /** Quarter turns clockwise, 0 to 3, before the flips. */
  turns: number;
  /** Left and right changed over, as seen on screen. */
  across: boolean;
  /** Top and bottom changed over, as seen on screen. */
  down: boolean;
}

export const upright: Orientation = { turns: 0, across: false, down: false };

/** Turns what is seen by quarters, clockwise where positive: in a mirror a turn goes the other way round. */
export function turned(from: Orientation, quarters: number): Orientation {
  const mirrored = from.across !== from.down;
  return { ...from, turns: (((from.turns + (mirrored ? -quarters : quarters)) % 4) + 4) % 4 };
}

export const flipped = (from: Orientation, axis: "across" | "down"): Orientation => ({ ...from, [axis]: !from[axis] });

/** The room that a film takes once it is turned. */
export const footprint = (film: Size, { turns }: Orientation): Size =>
  turns % 2 === 0 ? film : { width: film.height, height: film.width };

export const orientationTransform = ({ turns, across, down }: Orientation): string =>
  `scale(${across ? -1 : 1}, ${down ? -1 : 1}) rotate(${turns * 90}deg)`;

/** True where left and right are not where the film has them. Two flips are half a turn. */
export const isMirrored = ({ across, down }: Orientation): boolean => across !== down;

/** In words, for a mark on the film; nothing where it is as stored. */
export function orientationText(orientation: Orientation): string | null {
  const { turns, across, down } = orientation;
  // As it is seen: in a mirror a turn goes the other way round.
  const seen = isMirrored(orientation) ? (4 - turns) % 4 : turns;
  const turn = { 1: "turned right", 2: "turned by half", 3: "turned left" }[seen];
  const parts = [
    ...(turn === undefined ? [] : [turn]),
    ...(across ? ["flipped left to right"] : []),
    ...(down ? ["flipped top to bottom"] : []),
  ];
  return parts.length === 0 ? null : parts.join(", ");
}
