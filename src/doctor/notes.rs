//! The audit log.

use thorax_index::doctor::Finding;

use crate::audit::log::{FILE, FOLDER};
use crate::audit::verify::verify;
use crate::home::Home;

const REMEDY: &str =
    "find out who changed it; a copy of the folder shows what is missing, and to begin a new log move it away";

/// Looks whether every line is what was written.
pub(super) fn examine(home: &Home, findings: &mut Vec<Finding>) {
    let folder = home.path().join(FOLDER);
    if !folder.exists() {
        return;
    }
    let fault = match verify(home.path()) {
        Ok(verdict) => verdict.fault.map(|fault| fault.to_string()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(fault) = fault {
        findings.push(Finding::fault(folder.join(FILE).display().to_string(), fault, REMEDY));
    }
}
