//! What a file really is, by its first bytes, and whether it reaches its own end.

/// A kind of image that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Jpeg,
    Png,
}

/// The kind of image, or what the file is instead.
///
/// # Errors
/// Completes the sentence "FILE: ...".
pub(super) fn kind(bytes: &[u8]) -> Result<Kind, String> {
    if bytes.is_empty() {
        return Err("zero bytes".to_owned());
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Ok(Kind::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    Err(match other(bytes) {
        Some(Other::Image(name)) => format!("is {name}: only JPEG and PNG are read, convert it"),
        Some(Other::NoImage(name)) => format!("not an image: looks like {name}"),
        None => "not an image that is known: neither JPEG nor PNG by its content".to_owned(),
    })
}

enum Other {
    Image(&'static str),
    NoImage(&'static str),
}

fn other(bytes: &[u8]) -> Option<Other> {
    let at = |offset: usize, mark: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let known = [
        (at(128, b"DICM"), Other::Image("a DICOM file")),
        (at(0, b"GIF8"), Other::Image("a GIF image")),
        (at(0, b"BM") && bytes.len() > 26 && at(6, &[0; 4]), Other::Image("a BMP image")),
        (at(0, b"II*\0") || at(0, b"MM\0*"), Other::Image("a TIFF image")),
        (at(0, b"RIFF") && at(8, b"WEBP"), Other::Image("a WebP image")),
        (at(4, b"ftyp"), Other::Image("a HEIC or AVIF image, or a film")),
        (at(4, b"jP  ") || at(0, b"\xff\x4f\xff\x51"), Other::Image("a JPEG 2000 image")),
        (at(0, b"%PDF"), Other::NoImage("a PDF")),
        (at(0, b"PK\x03\x04"), Other::NoImage("a ZIP archive")),
        (at(0, b"\x1f\x8b"), Other::NoImage("a gzip archive")),
        (
            bytes.iter().take(512).all(|byte| *byte == 0),
            Other::NoImage("nothing but zeros, as a failed download leaves"),
        ),
    ];
    if let Some((_, name)) = known.into_iter().find(|(matches, _)| *matches) {
        return Some(name);
    }
    let head = bytes.get(..512).unwrap_or(bytes);
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The cut may have split the last character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        return None;
    }
    let start = text.trim_start().to_ascii_lowercase();
    let page = start.starts_with("<!doctype html") || start.starts_with("<html");
    Some(Other::NoImage(if page { "a web page" } else { "text" }))
}

/// True when the file reaches its end marker. Decoders fill a film that was cut off with grey and say nothing.
pub(super) fn reaches_end(kind: Kind, bytes: &[u8]) -> bool {
    match kind {
        Kind::Jpeg => jpeg_reaches_end(bytes).is_some(),
        Kind::Png => png_reaches_end(bytes).is_some(),
    }
}

/// Walks the markers of a JPEG (ITU T.81, B.1.1) to the end of the image, which must come after a scan.
fn jpeg_reaches_end(bytes: &[u8]) -> Option<()> {
    const END_OF_IMAGE: u8 = 0xd9;
    const START_OF_SCAN: u8 = 0xda;
    let mut at = 2;
    let mut scans = 0;
    loop {
        // Entropy-coded data is passed over too: in it 0xff is followed by 0 or by a restart marker.
        at += bytes.get(at..)?.iter().position(|byte| *byte == 0xff)? + 1;
        match *bytes.get(at)? {
            0xff => {}
            0x00 | 0x01 | 0xd0..=0xd8 => at += 1,
            END_OF_IMAGE if scans > 0 => return Some(()),
            END_OF_IMAGE => return None,
            marker => {
                // A segment holds its own length, and may hold a preview with markers of its own.
                let length = u16::from_be_bytes([*bytes.get(at + 1)?, *bytes.get(at + 2)?]);
                at += 1 + usize::from(length.max(2));
                scans += usize::from(marker == START_OF_SCAN);
            }
        }
    }
}

/// Walks the chunks of a PNG (ISO/IEC 15948, 5.3) to IEND, which must be there with its checksum.
fn png_reaches_end(bytes: &[u8]) -> Option<()> {
    let mut at: usize = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?);
        let name = bytes.get(at + 4..at + 8)?;
        at = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        if at > bytes.len() {
            return None;
        }
        if name == b"IEND" {
            return Some(());
        }
    }
}
