//! Threads that give way: bulk work at a lower priority than searches.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// Lowest priority.
pub const MAX: i32 = 19;

/// A pool of `threads` threads (0 = one for each core) that give way by `nice` steps (0 to 19). `warn` hears it where the
/// system refuses: the pool works all the same, at the usual priority.
///
/// # Errors
/// The threads cannot be started.
pub fn pool(threads: usize, nice: i32, warn: impl Fn(&str)) -> Result<ThreadPool> {
    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("bulk-{i}"))
        .start_handler(move |_| {
            if let Err(reason) = lower(nice)
                && let Ok(tell) = tell.lock()
            {
                // the pool was given up meanwhile: nobody to tell
                let _ = tell.send(reason);
            }
        })
        .build()
        .map_err(|e| Error::Io(std::io::Error::other(format!("starting threads: {e}"))))?;
    // every thread has run its handler once all have answered
    pool.broadcast(|_| ());
    if let Ok(reason) = told.try_recv() {
        warn(&format!("warning: {reason}; working at the usual priority"));
    }
    Ok(pool)
}

/// Lowers the priority of the calling thread; threads that it starts inherit it.
fn lower(nice: i32) -> std::result::Result<(), String> {
    if nice <= 0 { Ok(()) } else { set(nice.min(MAX)) }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn set(nice: i32) -> std::result::Result<(), String> {
    // SAFETY: setpriority takes integers and no pointer. With PRIO_PROCESS and 0, Linux changes the calling thread alone.
    let outcome = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    if outcome == 0 { Ok(()) } else { Err(format!("priority {nice}: {}", std::io::Error::last_os_error())) }
}

#[cfg(not(target_os = "linux"))]
fn set(nice: i32) -> std::result::Result<(), String> {
    Err(format!("priority {nice}: threads have no priority of their own on this system"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Field 19 of `/proc/thread-self/stat`, counted after the name, which may hold spaces.
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        rest.split(' ').nth(16).unwrap().parse().unwrap()
    }

    #[test]
    fn the_pool_gives_way_and_its_starter_does_not() {
        let before = niceness();
        let pool = pool(2, MAX, |warning| panic!("{warning}")).unwrap();
        assert_eq!(pool.broadcast(|_| niceness()), [MAX, MAX]);
        assert_eq!(niceness(), before);
        assert_eq!(pool.current_num_threads(), 2);
    }
}
