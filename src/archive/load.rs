//! One film into memory: by content, whole, and of a sane size.

use std::io::{self, Cursor};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::lines::reject_file;
use super::reader::Rejected;
use super::sniff::{self, Kind};

/// A film with more pixels is not decoded: a small file can claim to be terabytes.
pub const MAX_PIXELS: u64 = 100_000_000;

/// A file with more bytes is not read.
pub const MAX_FILE_BYTES: u64 = 1 << 30;

/// What a decoder may allocate for each pixel, bytes: 16-bit RGBA.
const ALLOCATION: u64 = 8;

/// What it may allocate besides.
const ROOM: u64 = 64 << 20;

/// Reads and decodes a film. Depth and channels stay as they are in the file; the orientation noted in EXIF is applied,
/// as browsers do.
///
/// # Errors
/// The file is missing, empty, no JPEG or PNG by its content, cut off, damaged, or has more than [`MAX_PIXELS`].
pub fn load_image(path: &Path) -> Result<DynamicImage, Rejected> {
    decode_image(&read_file(path)?, path)
}

/// Decodes a film from the bytes of its file; `path` is for the message only.
///
/// # Errors
/// As [`load_image`].
pub fn decode_image(bytes: &[u8], path: &Path) -> Result<DynamicImage, Rejected> {
    decode_image_within(bytes, path, MAX_PIXELS)
}

/// Decodes a film of at most `most` pixels: one that claims more is refused by its header, before anything is decoded.
///
/// # Errors
/// As [`load_image`].
pub fn decode_image_within(bytes: &[u8], path: &Path, most: u64) -> Result<DynamicImage, Rejected> {
    decode(bytes, most.min(MAX_PIXELS)).map_err(|reason| reject_file(path, reason))
}

/// The bytes of a film's file.
///
/// # Errors
/// It is no file, cannot be read, or has more than [`MAX_FILE_BYTES`].
pub fn read_file(path: &Path) -> Result<Vec<u8>, Rejected> {
    let reject = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => reject_file(path, "there is no such file"),
        _ => reject_file(path, format!("cannot be read: {}", error.kind())),
    };
    let about = fs_err::metadata(path).map_err(reject)?;
    if !about.is_file() {
        return Err(reject_file(path, "is not a file"));
    }
    if about.len() > MAX_FILE_BYTES {
        return Err(reject_file(path, format!("has {} bytes; at most {MAX_FILE_BYTES} are read", about.len())));
    }
    fs_err::read(path).map_err(reject)
}

fn decode(bytes: &[u8], most: u64) -> Result<DynamicImage, String> {
    let kind = sniff::kind(bytes)?;
    let (format, name) = match kind {
        Kind::Jpeg => (ImageFormat::Jpeg, "JPEG"),
        Kind::Png => (ImageFormat::Png, "PNG"),
    };
    if !sniff::reaches_end(kind, bytes) {
        return Err(format!("truncated: the {name} ends before its end marker, copy the file again"));
    }
    let damaged = |error: image::ImageError| format!("damaged {name}: {error}");
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(most * ALLOCATION + ROOM);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most {
        return Err(format!("{width} x {height} pixels; at most {most} are decoded"));
    }
    if width == 0 || height == 0 {
        return Err("has no pixels".to_owned());
    }
    // A note that cannot be read is no reason to lose the film.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut film = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    film.apply_orientation(orientation);
    Ok(film)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use image::{ImageBuffer, Luma};

    use super::*;

    fn film(width: u32, height: u32) -> DynamicImage {
        ImageBuffer::from_fn(width, height, |x, y| Luma([(x * 7 + y * 13 + x * y) as u8])).into()
    }

    fn encode(film: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        film.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn fault(bytes: &[u8]) -> String {
        decode_image(bytes, Path::new("film.jpg")).expect_err("must not decode").to_string()
    }

    #[test]
    fn whole_films_of_all_depths_are_read() {
        let grey = film(200, 100);
        for film in [grey.clone(), grey.to_rgb8().into(), grey.to_luma16().into(), grey.to_rgba16().into()] {
            let read = decode_image(&encode(&film, ImageFormat::Png), Path::new("film.png")).unwrap();
            assert_eq!(read, film);
        }
        let read = decode_image(&encode(&grey, ImageFormat::Jpeg), Path::new("named.png")).unwrap();
        assert_eq!((read.width(), read.height()), (200, 100));
    }

    #[test]
    fn any_cut_is_found() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let whole = encode(&film(300, 200), format);
            for percent in [10, 50, 90, 99] {
                let cut = &whole[..whole.len() * percent / 100];
                assert!(fault(cut).contains("truncated"), "{format:?} {percent}%: {}", fault(cut));
            }
            assert!(fault(&whole[..whole.len() - 2]).contains("truncated"), "{format:?}");
            for length in 1..whole.len() {
                assert!(decode(&whole[..length], MAX_PIXELS).is_err(), "{format:?} cut at {length} is read");
            }
            // A download that reserved its space: the right length, the rest zeros.
            let mut padded = whole[..whole.len() / 2].to_vec();
            padded.resize(whole.len(), 0);
            assert!(fault(&padded).contains("film.jpg"), "{format:?}");
        }
    }

    #[test]
    fn preview_within_a_jpeg_is_not_its_end() {
        let whole = encode(&film(64, 64), ImageFormat::Jpeg);
        let preview = encode(&film(8, 8), ImageFormat::Jpeg);
        let mut with_preview = whole[..2].to_vec();
        with_preview.extend_from_slice(&[0xff, 0xe1]);
        with_preview.extend_from_slice(&u16::try_from(preview.len() + 2).unwrap().to_be_bytes());
        with_preview.extend_from_slice(&preview);
        with_preview.extend_from_slice(&whole[2..]);
        assert!(decode(&with_preview, MAX_PIXELS).is_ok());
        assert!(decode(&with_preview[..with_preview.len() - 20], MAX_PIXELS).is_err());
    }

    #[test]
    fn damage_within_a_png_is_found() {
        let mut bytes = encode(&film(300, 200), ImageFormat::Png);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        assert!(fault(&bytes).contains("damaged PNG"), "{}", fault(&bytes));
    }

    #[test]
    fn what_is_no_film_is_named() {
        assert!(fault(b"").ends_with("zero bytes"));
        assert!(fault(b"The heart is normal.\n").ends_with("not an image: looks like text"));
        assert!(fault("é".repeat(600).as_bytes()).contains("looks like text"));
        assert!(fault(b"<!DOCTYPE html><title>404</title>").contains("a web page"));
        assert!(fault(b"GIF89a\x01\x00").contains("a GIF image"));
        assert!(fault(&[0; 2000]).contains("nothing but zeros"));
        assert!(fault(b"\x01\x02\x03\xff\xfe").contains("not an image that is known"));
        let mut dicom = vec![0; 128];
        dicom.extend_from_slice(b"DICM");
        assert!(fault(&dicom).contains("a DICOM file"));
    }

    #[test]
    fn a_bomb_is_not_decoded() {
        // A JPEG and a PNG whose headers claim 60,000 x 60,000 pixels.
        let mut jpeg = encode(&film(16, 16), ImageFormat::Jpeg);
        let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
        assert!(fault(&jpeg).contains("60000 x 60000 pixels"), "{}", fault(&jpeg));
        let mut png = encode(&film(16, 16), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let mut check = flate2::Crc::new();
        check.update(&png[12..29]);
        png[29..33].copy_from_slice(&check.sum().to_be_bytes());
        assert!(fault(&png).contains("60000 x 60000 pixels"), "{}", fault(&png));
    }

    #[test]
    fn what_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = load_image(&folder.path().join("none.jpg")).unwrap_err();
        assert!(missing.to_string().ends_with("none.jpg: there is no such file"), "{missing}");
        let named = folder.path().join("folder.jpg");
        fs_err::create_dir(&named).unwrap();
        assert!(load_image(&named).unwrap_err().reason.contains("is not a file"));
    }
}
