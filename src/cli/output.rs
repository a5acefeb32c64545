//! Writing results to stdout.

use std::io::Write;

use serde::Serialize;

use crate::error::Result;

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
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
