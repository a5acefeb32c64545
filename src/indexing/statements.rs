//! What a study shows, as a field of the catalogue's document: two characters for each statement. A search judges every
//! candidate by it, and reads the records of those alone that it returns.

use crate::archive::LabelOrigin;
use crate::findings::{Observation, Polarity, Severity, Side};

use super::shown::Finding;

/// Name of the field. The underscore keeps it from being filtered by.
pub const FIELD: &str = "_shown";

/// Six bits a character: the URL-safe alphabet of RFC 4648.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Writes statements, in their order.
pub fn encode(findings: &[Finding]) -> String {
    let mut text = String::with_capacity(2 * findings.len());
    for finding in findings {
        let code = code(finding);
        for six in [code >> 6, code & 63] {
            text.extend(ALPHABET.get(six as usize).map(|byte| char::from(*byte)));
        }
    }
    text
}

/// Reads them back; `None` where the text is nothing that [`encode`] writes.
pub fn decode(text: &str) -> Option<Vec<Finding>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| finding((six(*high)? << 6) | six(*low)?)).collect()
}

fn six(byte: u8) -> Option<u16> {
    ALPHABET.iter().position(|letter| *letter == byte).map(|place| place as u16)
}

/// Observation 4 bits, polarity 2, side 2, severity 2, origin 2.
fn code(finding: &Finding) -> u16 {
    let polarity = finding.polarity as u16;
    let side = finding.side.map_or(0, |side| side as u16 + 1);
    let severity = finding.severity.map_or(0, |severity| severity as u16 + 1);
    let observation = finding.observation.index() as u16;
    observation << 8 | polarity << 6 | side << 4 | severity << 2 | finding.origin as u16
}

fn finding(code: u16) -> Option<Finding> {
    let bits = |shift: u16| code >> shift & 3;
    Some(Finding {
        observation: *Observation::ALL.get(usize::from(code >> 8))?,
        polarity: *[Polarity::Present, Polarity::Absent, Polarity::Uncertain].get(usize::from(bits(6)))?,
        side: [None, Some(Side::Left), Some(Side::Right), Some(Side::Bilateral)][usize::from(bits(4))],
        severity: [None, Some(Severity::Mild), Some(Severity::Moderate), Some(Severity::Severe)][usize::from(bits(2))],
        origin: *[LabelOrigin::Truth, LabelOrigin::Dataset, LabelOrigin::Labeler].get(usize::from(bits(0)))?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_statement_comes_back() {
        let mut all = Vec::new();
        for observation in Observation::ALL {
            for polarity in [Polarity::Present, Polarity::Absent, Polarity::Uncertain] {
                for side in [None, Some(Side::Left), Some(Side::Right), Some(Side::Bilateral)] {
                    for severity in [None, Some(Severity::Mild), Some(Severity::Moderate), Some(Severity::Severe)] {
                        for origin in [LabelOrigin::Truth, LabelOrigin::Dataset, LabelOrigin::Labeler] {
                            all.push(Finding { observation, polarity, side, severity, origin });
                        }
                    }
                }
            }
        }
        let text = encode(&all);
        assert_eq!(text.len(), 2 * all.len());
        assert_eq!(decode(&text).unwrap(), all);
        assert_eq!(decode("").unwrap(), []);
    }

    #[test]
    fn what_nobody_wrote_is_refused() {
        // Half a statement, a character of another alphabet, an observation and an origin that are not there.
        for text in ["A", "AAB", "A=", "__", "AD", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
