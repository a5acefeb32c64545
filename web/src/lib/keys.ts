/** When a key press is meant for the page, and when for the control that has the focus. */

/** True where letters are being typed. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.matches("input:not([type=range], [type=checkbox], [type=file]), textarea, select")
  );
}

/** True for controls that have a use of their own for space and arrows. */
export function usesKeys(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a, summary, input, select, textarea") !== null;
}

/** True for sliders and the like, which move with the arrows. */
export function usesArrows(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}

/** Browser and system shortcuts are not ours. Shift is: `+` and `?` need it. */
export const isPlain = (event: KeyboardEvent): boolean => !event.ctrlKey && !event.metaKey && !event.altKey;

/** All keys of the page, for the help. Those of the viewer are OHIF's where OHIF has one. */
export const shortcuts: { heading: string; keys: { keys: string[]; does: string }[] }[] = [
  {
    heading: "Everywhere",
    keys: [
      { keys: ["/"], does: "Search field" },
      { keys: ["Enter"], does: "Search, or open the result" },
      { keys: ["←", "→", "↑", "↓"], does: "Move between results" },
      { keys: ["Esc"], does: "Back" },
      { keys: ["?"], does: "This help" },
    ],
  },
  {
    heading: "In a study",
    keys: [
      { keys: ["←", "→"], does: "Previous, next result" },
      { keys: ["w"], does: "Drag for window and level" },
      { keys: ["p"], does: "Drag to pan" },
      { keys: ["1", "to", "4"], does: "Window presets" },
      { keys: ["i"], does: "Invert" },
      { keys: ["+", "−"], does: "Zoom in, out" },
      { keys: ["z"], does: "Actual pixels, and back" },
      { keys: ["="], does: "Fit the film" },
      { keys: ["h", "v"], does: "Flip left to right, top to bottom" },
      { keys: ["l", "r"], does: "Turn left, right" },
      { keys: ["Shift", "arrows"], does: "Pan" },
      { keys: ["m"], does: "Heat map" },
      { keys: ["Space"], does: "Reset the film" },
    ],
  },
];
