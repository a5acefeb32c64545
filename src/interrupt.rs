//! Ctrl-C and SIGTERM ask a long task to stop after its current piece; a second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Installs the handler. Call it once, from the binary.
pub fn install() {
    let handler = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("stopping after the current piece; press Ctrl-C again to stop at once");
    });
    if let Err(error) = handler {
        eprintln!("Ctrl-C is not handled: {error}");
    }
}

/// The flag that long tasks look at.
pub fn flag() -> &'static AtomicBool {
    &STOP
}

/// True once a stop was asked for.
pub fn asked() -> bool {
    STOP.load(Ordering::SeqCst)
}
