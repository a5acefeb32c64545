//! Writing results to stdout. In a server, what a command says is kept for the client that asked.

use std::cell::RefCell;
use std::io::Write;

use serde::Serialize;

use crate::error::Result;

/// What a command said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// For stdout.
    pub result: String,
    /// For stderr.
    pub notes: Vec<String>,
}

thread_local! {
    /// Where this thread's results go instead of stdout.
    static KEPT: RefCell<Option<Said>> = const { RefCell::new(None) };
}

/// Ends the keeping also where the command panics: the thread may be used again.
struct Keeping;

impl Drop for Keeping {
    fn drop(&mut self) {
        KEPT.with_borrow_mut(|kept| *kept = None);
    }
}

/// Runs a command and keeps what it says on this thread, instead of writing it to stdout and stderr.
pub fn keep<T>(run: impl FnOnce() -> T) -> (T, Said) {
    KEPT.with_borrow_mut(|kept| *kept = Some(Said::default()));
    let keeping = Keeping;
    let outcome = run();
    let said = KEPT.with_borrow_mut(Option::take).unwrap_or_default();
    drop(keeping);
    (outcome, said)
}

/// Writes `value` as one indented JSON document.
///
/// # Errors
/// Stdout is closed.
pub fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string_pretty(value)?)
}

/// Writes `value` as one line of JSON.
///
/// # Errors
/// Stdout is closed.
pub fn json_line(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string(value)?)
}

/// Writes a line.
///
/// # Errors
/// Stdout is closed.
pub fn line(text: &str) -> Result<()> {
    let kept = KEPT.with_borrow_mut(|kept| {
        kept.as_mut().map(|said| {
            said.result.push_str(text);
            said.result.push('\n');
        })
    });
    if kept.is_none() {
        raw(&format!("{text}\n"))?;
    }
    Ok(())
}

/// Writes text to stdout as it is.
///
/// # Errors
/// Stdout is closed.
pub fn raw(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Says a line beside the result, on stderr.
pub fn note(text: &str) {
    let kept = KEPT.with_borrow_mut(|kept| kept.as_mut().map(|said| said.notes.push(text.to_owned())));
    if kept.is_none() {
        eprintln!("{text}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_kept_is_what_would_have_been_written() {
        let (outcome, said) = keep(|| {
            line("one").unwrap();
            note("beside");
            json_line(&[1, 2]).unwrap();
            7
        });
        assert_eq!(outcome, 7);
        assert_eq!(said, Said { result: "one\n[1,2]\n".to_owned(), notes: vec!["beside".to_owned()] });
        let panicked = std::panic::catch_unwind(|| keep(|| std::panic::resume_unwind(Box::new("on purpose"))));
        assert!(panicked.is_err());
        assert!(KEPT.with_borrow(Option::is_none));
    }
}
