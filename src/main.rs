//! The `thorax` program.

use std::process::ExitCode;

use clap::Parser;
use thorax::{Error, cli::Cli, interrupt, logging};

fn main() -> ExitCode {
    thorax::memory::keep_freed_pages();
    thorax::memory::one_thread_for_each_tensor();
    let cli = Cli::parse();
    logging::begin(cli.log_format(), cli.serves());
    interrupt::install();
    match cli.run() {
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
