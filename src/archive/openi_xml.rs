//! One report of Open-I: an XML citation with labelled sections and the ids of its films.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::sections::push;
use super::study::{Report, Section};

/// What a report's file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Citation {
    /// `uId`, for example `CXR1000`.
    pub id: String,
    /// Its sections; none when no section has text.
    pub report: Report,
    /// `parentImage` ids in order: file names of the films without their extension.
    pub films: Vec<String>,
}

/// Reads one report.
///
/// MeSH terms are passed over: the labeler is scored against them. So is the date, which is that of the publication.
///
/// # Errors
/// Completes the sentence "FILE ...". Never quotes the file.
pub(super) fn parse(bytes: &[u8]) -> Result<Citation, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| format!("is not UTF-8 from byte {}", error.valid_up_to()))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    // Reports write "R&D" and "a < b" where XML wants entities.
    reader.config_mut().allow_dangling_amp = true;
    let mut id = None;
    let mut sections: Vec<Section> = Vec::new();
    let mut films = Vec::new();
    let mut open: Option<(String, String)> = None;
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event();
        let broken = || format!("is not well-formed XML near byte {}", reader.error_position());
        match event.map_err(|_| broken())? {
            Event::Start(tag) => {
                depth += 1;
                match tag.name().as_ref() {
                    "uId" => id = attribute(&tag, "id"),
                    "parentImage" => films.extend(attribute(&tag, "id")),
                    "AbstractText" => open = Some((attribute(&tag, "Label").unwrap_or_default(), String::new())),
                    _ => {}
                }
            }
            Event::End(tag) => {
                depth = depth.saturating_sub(1);
                if tag.name().as_ref() == "AbstractText"
                    && let Some((label, text)) = open.take()
                {
                    push(&mut sections, &label.trim().to_lowercase(), &text);
                }
            }
            Event::Text(part) => {
                if let Some((_, text)) = &mut open {
                    text.push_str(&part.xml10_content());
                }
            }
            Event::CData(part) => {
                if let Some((_, text)) = &mut open {
                    text.push_str(&part);
                }
            }
            Event::GeneralRef(entity) => {
                if let Some((_, text)) = &mut open {
                    match entity.resolve_char_ref().map_err(|_| broken())? {
                        Some(character) => text.push(character),
                        None => text.push_str(resolve_predefined_entity(&entity).unwrap_or(" ")),
                    }
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if depth > 0 {
        return Err("ends within an element: it is cut off".to_owned());
    }
    let id = id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let id = id.ok_or("has no <uId id=\"...\"/>: it is no report of Open-I")?;
    Ok(Citation { id, report: Report { sections }, films })
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn citation(body: &str) -> String {
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<eCitation>{body}</eCitation>")
    }

    #[test]
    fn sections_and_films() {
        let xml = citation(
            "<uId id=\"CXR9\"/><articleDate>2013-08-01</articleDate><Abstract>\
             <AbstractText Label=\"COMPARISON\"/>\
             <AbstractText Label=\"FINDINGS\">Heart\n  size &lt; 15 cm &amp; clear&#32;lungs.</AbstractText>\
             <AbstractText Label=\"IMPRESSION\">Nothing <i>acute</i>.</AbstractText></Abstract>\
             <MeSH><major>normal</major></MeSH><parentImage id=\"CXR9_1\"><caption>Two views</caption></parentImage>\
             <parentImage id=\"CXR9_2\"/>",
        );
        let citation = parse(xml.as_bytes()).unwrap();
        assert_eq!(citation.id, "CXR9");
        assert_eq!(citation.films, ["CXR9_1", "CXR9_2"]);
        let sections: Vec<_> = citation.report.sections.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
        assert_eq!(sections, [("findings", "Heart size < 15 cm & clear lungs."), ("impression", "Nothing acute.")]);
    }

    #[test]
    fn faults_are_named_without_the_text() {
        let secret = "Secretword";
        let whole = citation(&format!("<uId id=\"CXR9\"/><AbstractText Label=\"FINDINGS\">{secret}</AbstractText>"));
        for cut in 0..whole.len() {
            let fault = parse(&whole.as_bytes()[..cut]).unwrap_err();
            assert!(!fault.contains(secret));
        }
        assert!(parse(citation("<p></q>").as_bytes()).unwrap_err().contains("not well-formed XML near byte"));
        assert!(parse(citation("<p/>").as_bytes()).unwrap_err().contains("no <uId"));
        assert!(parse(b"<a>\xff</a>").unwrap_err().contains("not UTF-8 from byte 3"));
    }
}
