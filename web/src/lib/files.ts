/** Looks at the first bytes of a file, so that a wrong file gets a clear answer before it is sent anywhere. */

/** A film that can be searched with, or why it cannot. */
export type Sniffed = { film: Blob } | { refusal: string };

const bytesNeeded = 132;

/** Tells JPEG and PNG by their signatures; the name and the type that the system states are not trusted. */
export async function sniff(file: File): Promise<Sniffed> {
  if (file.size === 0) return { refusal: `“${file.name}” is empty. Choose a JPEG or PNG image.` };
  let head: Uint8Array;
  try {
    head = new Uint8Array(await file.slice(0, bytesNeeded).arrayBuffer());
  } catch {
    return { refusal: `“${file.name}” could not be read. Is it a folder, or has it been moved?` };
  }
  const type = imageType(head);
  if (type) return { film: new Blob([file], { type }) };
  if (isDicom(head)) {
    return { refusal: `“${file.name}” is a DICOM file. Export the film as JPEG or PNG and drop that.` };
  }
  return { refusal: `“${file.name}” is not an image that can be searched with. Drop a JPEG or PNG film.` };
}

export function imageType(head: Uint8Array): "image/jpeg" | "image/png" | null {
  if (startsWith(head, [0xff, 0xd8, 0xff])) return "image/jpeg";
  if (startsWith(head, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return "image/png";
  return null;
}

/** DICOM part 10: `DICM` after a preamble of 128 bytes. */
export const isDicom = (head: Uint8Array): boolean => startsWith(head.subarray(128), [0x44, 0x49, 0x43, 0x4d]);

const startsWith = (bytes: Uint8Array, signature: number[]): boolean =>
  bytes.length >= signature.length && signature.every((byte, i) => bytes[i] === byte);
