import { describe, expect, it } from "vitest";
import { sniff } from "./files.ts";

const file = (name: string, bytes: number[], type = ""): File => new File([new Uint8Array(bytes)], name, { type });

const png = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const dicom = [...new Array<number>(128).fill(0), 0x44, 0x49, 0x43, 0x4d];

describe("sniff", () => {
  it("takes an image by its bytes, whatever its name", async () => {
    const sniffed = await sniff(file("film.bin", [...png, 0]));
    expect("film" in sniffed && sniffed.film.type).toBe("image/png");
  });

  it.each([
    ["text with an image's name and type", file("film.png", [0x68, 0x69], "image/png"), /not an image/],
    ["an empty file", file("film.png", []), /is empty/],
    ["DICOM", file("film.dcm", dicom), /is a DICOM file/],
  ])("refuses %s, and says why", async (_, given, reason) => {
    const sniffed = await sniff(given);
    expect("refusal" in sniffed && sniffed.refusal).toMatch(reason);
  });
});
