import { expect, test } from "vitest";
import { choices, heatTexts } from "./beside.ts";
import type { Study, TimelineStudy } from "./types.ts";

const film = (key: string) => ({ id: key, key, width: 10, height: 10, view: "PA" });
const study: Study = {
  study: "a/2",
  key: "b",
  source: "a",
  patient: "a/p",
  date: "2020-01-01",
  offset: null,
  age: 50,
  sex: "F",
  images: [film("b-0"), film("b-1")],
  reports: [],
  labels: [
    { origin: "truth", labels: { Edema: "present", Pneumonia: "absent", "No Finding": "absent" } },
    { origin: "labeler", labels: { Edema: "present" } },
  ],
};
const other = (key: string, date: string, own = false): TimelineStudy => ({
  key,
  date,
  offset: null,
  age: 40,
  view: "PA",
  images: [`${key}-0`],
  findings: [],
  this: own,
});

test("the query film comes first, then other studies newest first, then the other films of the study", () => {
  const timeline = [other("a", "2018-01-01"), other("b", "2020-01-01", true), other("c", "2021-01-01")];
  const asked = { films: [{ blob: new Blob([]), address: "blob:1", name: "x" }], study: null };
  const all = choices(study, 0, timeline, asked);
  expect(all.map(({ id }) => id)).toEqual(["blob:1", "c-0", "a-0", "b-1"]);
  expect(all.map(({ source }) => source.label)).toEqual(["Query film", "2021-01-01", "2018-01-01", "This study: PA"]);
});

test("a film is offered once", () => {
  const asked = { films: [], study: { key: "a", image: "a-0", label: "" } };
  expect(choices(study, 0, [other("a", "2018-01-01")], asked).map(({ id }) => id)).toEqual(["a-0", "b-1"]);
});

test("a heat map can be of the query and of what is stated present, each once", () => {
  expect(heatTexts("left effusion", study)).toEqual(["left effusion", "edema"]);
  expect(heatTexts("", study)).toEqual(["edema"]);
});
