//! Open-I, the chest X-ray collection of Indiana University (Demner-Fushman et al., JAMIA 2016): reports, and films
//! where the files are there.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};

use flate2::read::MultiGzDecoder;

use super::films::{film, find_film};
use super::lines::reject_file;
use super::openi_xml::{Citation, parse};
use super::reader::{Rejected, Studies};
use super::source::{OpenFault, want_folder};
use super::study::Study;
use super::walk::walk;

const SOURCE: &str = "openi";

/// A report of more bytes is no report.
const MAX_XML: u64 = 4 << 20;

/// Studies that the unpacking thread may be ahead.
const AHEAD: usize = 64;

type Item = Result<Study, Rejected>;

/// Opens `NLMCXR_reports.tgz`, a folder that holds it, or a folder of unpacked XML files, nested or not.
///
/// Films are looked for in `images/` beside the archive, or in the folder. A film that is not there is no fault.
pub(super) fn open(path: &Path) -> Result<Studies, OpenFault> {
    if path.is_file() {
        if !is_tar(path) {
            return Err(OpenFault::Wrong("is neither a .tgz nor a folder".to_owned()));
        }
        let images = path.parent().unwrap_or(path).join("images");
        return Ok(unpack(path, images)?);
    }
    want_folder(path)?;
    let images = path.join("images");
    let mut archives = Vec::new();
    for entry in fs_err::read_dir(path)? {
        archives.push(entry?.path());
    }
    archives.retain(|path| path.is_file() && is_tar(path));
    archives.sort();
    // The films come as a second archive, NLMCXR_png.tgz.
    let reports =
        archives.iter().find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("report")));
    if let Some(reports) = reports.or(archives.first()) {
        return Ok(unpack(reports, images)?);
    }
    let mut files = walk(path).filter(|entry| entry.as_ref().map_or(true, |path| is_xml(path))).peekable();
    if files.peek().is_none() {
        return Err(OpenFault::Wrong("holds neither a .tgz nor an .xml file".to_owned()));
    }
    Ok(Box::new(files.map(move |entry| {
        let path = entry?;
        let file = fs_err::File::open(&path).map_err(|error| reject_file(&path, error.kind().to_string()))?;
        study(file, &images).map_err(|reason| reject_file(&path, reason))
    })))
}

fn is_tar(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.ends_with(".tgz") || name.ends_with(".tar.gz")
}

/// `._1.xml` is what macOS leaves beside `1.xml` in an archive.
fn is_xml(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    name.to_lowercase().ends_with(".xml") && !name.starts_with("._")
}

/// Reads the archive in a thread of its own, since a tar's entries borrow from it; ends when the stream is dropped.
fn unpack(path: &Path, images: PathBuf) -> std::io::Result<Studies> {
    let file = fs_err::File::open(path)?;
    let path = path.to_owned();
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::Builder::new().name("openi".to_owned()).spawn(move || send_all(file, &path, &images, &sender))?;
    Ok(Box::new(receiver.into_iter()))
}

fn send_all(file: fs_err::File, path: &Path, images: &Path, sender: &SyncSender<Item>) {
    let broken = |error: std::io::Error| {
        let reason = format!("the archive is cut off or damaged here, the reports before were read: {error}");
        let _ = sender.send(Err(reject_file(path, reason)));
    };
    let mut archive = tar::Archive::new(MultiGzDecoder::new(std::io::BufReader::new(file)));
    let entries = match archive.entries() {
        Ok(entries) => entries,
        Err(error) => return broken(error),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => return broken(error),
        };
        let Ok(name) = entry.path().map(|name| name.into_owned()) else { continue };
        if !entry.header().entry_type().is_file() || !is_xml(&name) {
            continue;
        }
        let item = study(entry, images)
            .map_err(|reason| Rejected { record: Some(name.display().to_string()), ..reject_file(path, reason) });
        if sender.send(item).is_err() {
            return;
        }
    }
}

fn study(file: impl Read, images: &Path) -> Result<Study, String> {
    let mut bytes = Vec::new();
    file.take(MAX_XML + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {}", error.kind()))?;
    if bytes.len() as u64 > MAX_XML {
        return Err(format!("has more than {MAX_XML} bytes: it is no report"));
    }
    let Citation { id, report, films } = parse(&bytes)?;
    let id = format!("{SOURCE}/{id}");
    let paths = films.iter().filter_map(|name| find_film(images, name));
    Ok(Study {
        images: paths.enumerate().map(|(number, path)| film(&id, number, path, None)).collect(),
        // The collection does not say which reports are of one patient.
        patient: id.clone(),
        id,
        source: SOURCE.to_owned(),
        date: None,
        offset: None,
        age: None,
        sex: None,
        reports: vec![report],
        labels: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::super::{Source, source};
    use super::*;

    fn xml(id: &str) -> String {
        format!(
            "<eCitation><uId id=\"{id}\"/><AbstractText Label=\"FINDINGS\">Clear lungs of {id}.</AbstractText>\
             <parentImage id=\"{id}_a\"/><parentImage id=\"{id}_b\"/></eCitation>"
        )
    }

    fn tgz(files: &[(&str, String)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn read(path: &Path) -> Vec<Item> {
        source::open(Source::Openi, path).unwrap().collect()
    }

    fn ids(items: &[Item]) -> Vec<String> {
        items.iter().filter_map(|item| item.as_ref().ok()).map(|study| study.id.clone()).collect()
    }

    #[test]
    fn archive_and_folders_give_the_same_studies() {
        let folder = tempfile::tempdir().unwrap();
        let files = [("r/10.xml", xml("CXR10")), ("r/._10.xml", "junk".to_owned()), ("r/2.xml", xml("CXR2"))];
        let packed = folder.path().join("reports.tgz");
        fs_err::write(&packed, tgz(&files)).unwrap();
        fs_err::create_dir(folder.path().join("images")).unwrap();
        fs_err::write(folder.path().join("images/CXR2_b.jpg"), b"x").unwrap();
        let from_archive = read(&packed);
        assert_eq!(ids(&from_archive), ["openi/CXR10", "openi/CXR2"]);
        assert_eq!(from_archive, read(folder.path()));
        fs_err::remove_file(&packed).unwrap();
        fs_err::create_dir_all(folder.path().join("nested/r")).unwrap();
        for (name, content) in &files {
            fs_err::write(folder.path().join("nested").join(name), content).unwrap();
        }
        assert_eq!(from_archive, read(folder.path()));
        let study = from_archive[1].as_ref().unwrap();
        assert_eq!((study.patient.as_str(), study.date.as_deref()), ("openi/CXR2", None));
        assert_eq!(study.images.len(), 1);
        assert_eq!(study.images[0].id, "openi/CXR2#0");
        assert_eq!(study.reports[0].sections[0].text, "Clear lungs of CXR2.");
        assert!(study.labels.is_empty());
    }

    #[test]
    fn bad_reports_are_named_and_the_rest_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports.tgz");
        let files = [("1.xml", xml("CXR1")), ("2.xml", "<eCitation>".to_owned()), ("3.xml", xml("CXR3"))];
        fs_err::write(&path, tgz(&files)).unwrap();
        let items = read(&path);
        assert_eq!(ids(&items), ["openi/CXR1", "openi/CXR3"]);
        let fault = items[1].as_ref().unwrap_err().to_string();
        assert!(fault.contains("reports.tgz (2.xml): ends within an element"), "{fault}");
    }

    #[test]
    fn archive_that_is_cut_off_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reports.tgz");
        let files: Vec<(String, String)> = (0..200).map(|n| (format!("{n}.xml"), xml(&format!("CXR{n}")))).collect();
        let files: Vec<(&str, String)> = files.iter().map(|(name, xml)| (name.as_str(), xml.clone())).collect();
        let whole = tgz(&files);
        fs_err::write(&path, &whole[..whole.len() / 2]).unwrap();
        let items = read(&path);
        assert!((1..200).contains(&ids(&items).len()));
        assert!(items.last().unwrap().as_ref().unwrap_err().reason.contains("cut off or damaged"));
        fs_err::write(&path, b"no gzip at all").unwrap();
        assert_eq!(read(&path).len(), 1);
    }

    #[test]
    fn what_is_no_archive_is_refused_and_a_dropped_stream_ends() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| source::open(Source::Openi, path).err().expect("refused").to_string();
        assert!(refused(folder.path()).contains("holds neither a .tgz nor an .xml file"));
        let text = folder.path().join("a.txt");
        fs_err::write(&text, b"x").unwrap();
        assert!(refused(&text).contains("is neither a .tgz nor a folder"));
        let files: Vec<(&str, String)> = (0..300).map(|_| ("1.xml", xml("CXR1"))).collect();
        let path = folder.path().join("reports.tgz");
        fs_err::write(&path, tgz(&files)).unwrap();
        assert_eq!(source::open(Source::Openi, &path).unwrap().take(2).count(), 2);
    }
}
