//! The `thorax` program.

use std::process::ExitCode;

use clap::Parser;
use thorax::{Error, cli::Cli, interrupt};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    thorax::memory::keep_freed_pages();
    thorax::memory::one_thread_for_each_tensor();
    let filter = EnvFilter::try_from_env("THORAX_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
    interrupt::install();
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        // `thorax search ... | head` closes the pipe: nothing went wrong.
        Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Error::Differs(answer)) => {
            eprintln!("{answer}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if error.is_caller_fault() { 2 } else { 1 })
        }
    }
}
