//! Finds the first line of a log that is not what was written.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Serialize;

use super::chain::{Key, Link};
use super::event::Torn;
use super::event::Who;
use super::head::Head;
use super::log::{FILE, FOLDER, NO_HEAD};
use crate::error::{Error, Result};
use crate::private;

/// What was found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Every line is what was written.
    pub whole: bool,
    /// Lines that are.
    pub lines: u64,
    /// Lines that a crash left unfinished; they are noted in the log.
    pub torn: u64,
    /// The last line that fits.
    #[serde(flatten)]
    pub last: Link,
    /// The first that does not.
    pub fault: Option<Fault>,
}

/// The first line that does not fit.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Its number in the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: What,
}

/// What is wrong with a line.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Its content does not fit its hash: it was changed, or another program wrote it.
    Edited,
    /// Lines before it are missing: from this number to that.
    Removed(u64, u64),
    /// It stands elsewhere than where it was written; it is the one of this number.
    Reordered(u64),
    /// The log ends here, and reached this number.
    CutOff(u64),
    /// The head is missing, or was edited: whether the end was cut off is not known.
    NoHead,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line;
        match self.what {
            What::Edited => write!(f, "line {line} was edited: its content does not fit its hash"),
            What::Removed(from, to) if from == to => write!(f, "a line was removed before line {line}: event {from}"),
            What::Removed(from, to) => write!(f, "lines were removed before line {line}: events {from} to {to}"),
            What::Reordered(seq) => write!(f, "line {line} was reordered: it is event {seq}"),
            What::CutOff(seq) => write!(f, "the log was cut off before line {line}: it reached event {seq}"),
            What::NoHead => {
                write!(
                    f,
                    "before line {line} head.json was missing or edited: whether lines were cut off there is not known"
                )
            }
        }
    }
}

/// Verifies the log of a home; also while it is written.
///
/// # Errors
/// There is none, or it cannot be read.
pub fn verify(home: &Path) -> Result<Verdict> {
    let folder = home.join(FOLDER);
    let path = folder.join(FILE);
    if !folder.exists() {
        return Err(Error::Caller("this home has no audit log: `thorax serve` begins one".to_owned()));
    }
    let key = Key::of(&folder, false)?;
    let (head, length) = {
        let _lock = private::lock(&folder.join("lock"))?;
        let head = match Head::read(&folder, &key) {
            Err(Error::Differs(_)) => None,
            head => head?,
        };
        (head, fs_err::metadata(&path).map_or(0, |about| about.len()))
    };
    let mut walk = Walk { key: &key, last: Link::first(), lines: 0, torn: 0 };
    let mut fault = match fs_err::File::open(&path) {
        Ok(file) => walk.all(&mut BufReader::new(file.take(length)))?,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => None,
        Err(fault) => return Err(fault.into()),
    };
    let end = walk.lines + walk.torn + 1;
    fault = fault.or(match head {
        None => Some(Fault { line: end, what: What::NoHead }),
        Some(head) if head.link.seq > walk.last.seq => Some(Fault { line: end, what: What::CutOff(head.link.seq) }),
        Some(_) => None,
    });
    let Walk { last, lines, torn, .. } = walk;
    // the search for the right place of a line that does not fit
    if let Some(Fault { what: What::Removed(from, to), line }) = fault {
        let file = fs_err::File::open(&path)?;
        if is_later(&key, BufReader::new(file.take(length)), line, from)? {
            fault = Some(Fault { line, what: What::Reordered(to + 1) });
        }
    }
    Ok(Verdict { whole: fault.is_none(), lines, torn, last, fault })
}

struct Walk<'a> {
    key: &'a Key,
    last: Link,
    lines: u64,
    torn: u64,
}

impl Walk<'_> {
    /// Goes on to the first line that does not fit.
    fn all(&mut self, file: &mut impl BufRead) -> Result<Option<Fault>> {
        let mut unfinished: Option<Torn> = None;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            if file.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let fault = |what| Ok(Some(Fault { line: number, what }));
            let ended = line.pop_if(|byte| *byte == b'\n').is_some();
            let Some((noted, link)) = self.key.read(&line) else {
                if unfinished.is_some() {
                    return Ok(Some(Fault { line: number - 1, what: What::Edited }));
                }
                let hash = self.key.hash(&line).to_hex().to_string();
                unfinished = Some(Torn { bytes: line.len() as u64, hash });
                if !ended {
                    // a crash, and nobody wrote since: the next event notes it
                    self.torn += 1;
                    unfinished = None;
                }
                continue;
            };
            if let Some(torn) = unfinished.take() {
                if noted.event.torn.as_ref() != Some(&torn) {
                    return Ok(Some(Fault { line: number - 1, what: What::Edited }));
                }
                self.torn += 1;
            }
            if noted.prev != self.last.hash || noted.seq != self.last.seq + 1 {
                return match noted.seq > self.last.seq + 1 {
                    true => fault(What::Removed(self.last.seq + 1, noted.seq - 1)),
                    false => fault(What::Reordered(noted.seq)),
                };
            }
            if noted.event.who == Who::Log && noted.event.kind == NO_HEAD {
                return fault(What::NoHead);
            }
            self.last = link;
            self.lines += 1;
        }
        let line = self.lines + self.torn + 1;
        Ok(unfinished.map(|_| Fault { line, what: What::Edited }))
    }
}

/// Whether the event `seq` stands after line `line`.
fn is_later(key: &Key, file: impl BufRead, line: u64, seq: u64) -> Result<bool> {
    for later in file.split(b'\n').skip(usize::try_from(line).unwrap_or(usize::MAX)) {
        if key.read(&later?).is_some_and(|(noted, _)| noted.seq == seq) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::audit::{Event, Log, Who};

    fn with_lines(count: u64) -> (tempfile::TempDir, Vec<String>) {
        let home = tempfile::tempdir().unwrap();
        let log = Log::open(home.path()).unwrap();
        for number in 0..count {
            log.append(Event { count: Some(number), ..Event::new(Who::Loopback, "search") }).unwrap();
        }
        drop(log);
        let text = fs_err::read_to_string(home.path().join(FOLDER).join(FILE)).unwrap();
        (home, text.lines().map(str::to_owned).collect())
    }

    fn found(home: &Path, lines: &[String]) -> Option<Fault> {
        fs_err::write(home.join(FOLDER).join(FILE), lines.iter().map(|line| format!("{line}\n")).collect::<String>())
            .unwrap();
        verify(home).unwrap().fault
    }

    #[test]
    fn every_change_is_found_at_its_line() {
        let (home, lines) = with_lines(9);
        let fault = |line, what| Some(Fault { line, what });
        assert_eq!(found(home.path(), &lines), None);
        for at in 0..9 {
            let (number, seq) = (at as u64 + 1, at as u64 + 1);
            let mut edited = lines.clone();
            edited[at] = edited[at].replace("search", "status");
            assert_eq!(found(home.path(), &edited), fault(number, What::Edited));
            let mut removed = lines.clone();
            removed.remove(at);
            let expected = if at == 8 { What::CutOff(9) } else { What::Removed(seq, seq) };
            assert_eq!(found(home.path(), &removed), fault(number, expected));
            assert_eq!(found(home.path(), &lines[..at]), fault(number, What::CutOff(9)));
            let mut twice = lines.clone();
            twice.insert(at, lines[at].clone());
            assert_eq!(found(home.path(), &twice), fault(number + 1, What::Reordered(seq)));
            if at < 8 {
                let mut swapped = lines.clone();
                swapped.swap(at, at + 1);
                assert_eq!(found(home.path(), &swapped), fault(number, What::Reordered(seq + 1)));
            }
        }
        assert_eq!(found(home.path(), &lines), None);
        fs_err::remove_file(home.path().join(FOLDER).join("head.json")).unwrap();
        assert_eq!(found(home.path(), &lines), fault(10, What::NoHead));
        drop(Log::open(home.path()).unwrap());
        assert_eq!(verify(home.path()).unwrap().fault, fault(10, What::NoHead), "a new head does not hide it");
    }

    #[test]
    fn a_torn_line_is_kept_and_noted_and_nothing_passes_for_one() {
        let (home, mut lines) = with_lines(3);
        let path = home.path().join(FOLDER).join(FILE);
        let torn = lines[2][..40].to_owned();
        fs_err::write(&path, format!("{}\n{torn}", lines[..2].join("\n"))).unwrap();
        // the head knows of three: what is torn was durable, so it was not a crash
        assert_eq!(verify(home.path()).unwrap().fault, Some(Fault { line: 4, what: What::CutOff(3) }));
        let (home, whole) = with_lines(3);
        let path = home.path().join(FOLDER).join(FILE);
        fs_err::write(&path, format!("{}\n{torn}", whole.join("\n"))).unwrap();
        let verdict = verify(home.path()).unwrap();
        assert_eq!((verdict.whole, verdict.lines, verdict.torn), (true, 3, 1), "a crash in the middle of a line");
        Log::open(home.path()).unwrap().append(Event::new(Who::CommandLine, "delete")).unwrap();
        let verdict = verify(home.path()).unwrap();
        assert_eq!((verdict.whole, verdict.lines, verdict.torn), (true, 5, 1), "{verdict:?}");
        let text = fs_err::read_to_string(&path).unwrap();
        assert!(text.contains(&torn) && text.contains("torn line"));
        // another text in its place is no torn line
        lines = text.replace(&torn, "{\"seq\":4,\"kind\":\"nothing to see\"}").lines().map(str::to_owned).collect();
        assert_eq!(found(home.path(), &lines), Some(Fault { line: 4, what: What::Edited }));
    }

    #[test]
    fn two_writers_make_one_chain_and_a_cut_stays_found() {
        let (home, lines) = with_lines(4);
        let (one, two) = (Log::open(home.path()).unwrap(), Log::open(home.path()).unwrap());
        std::thread::scope(|scope| {
            for log in [&one, &two] {
                scope.spawn(move || {
                    for _ in 0..50 {
                        log.append(Event::new(Who::CommandLine, "search")).unwrap();
                        log.flush().unwrap();
                    }
                });
            }
        });
        drop((one, two));
        assert_eq!(verify(home.path()).unwrap().lines, 104);
        // what is written after a cut does not hide it
        assert_eq!(found(home.path(), &lines).map(|fault| fault.what), Some(What::CutOff(104)));
        Log::open(home.path()).unwrap().append(Event::new(Who::CommandLine, "search")).unwrap();
        assert_eq!(verify(home.path()).unwrap().fault, Some(Fault { line: 5, what: What::Removed(5, 104) }));
    }
}
