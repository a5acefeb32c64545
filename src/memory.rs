//! Settings of the process that must be made before any thread starts: allocator and threads of the tensor library.
//!
//! glibc gives every large block back to the kernel and faults it in again; tensors of the same sizes come and go with
//! every step, and keeping them made training 1.2 to 1.5 times as fast.

/// Makes Candle add large tensors on the calling thread: its own pool has one lock and spinning waiters, and our shards
/// already use every core. Training `small` on two cores went from 36 to 57 images/s. A value that is set stays.
#[allow(unsafe_code)]
pub fn one_thread_for_each_tensor() {
    const NAME: &str = "CANDLE_NUM_THREADS";
    if std::env::var_os(NAME).is_none() {
        // SAFETY: called first thing in `main`, when there is no other thread that could read the environment.
        unsafe { std::env::set_var(NAME, "1") };
    }
}

/// Tells the allocator to keep what is freed. Does nothing where it isn't glibc.
pub fn keep_freed_pages() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    keep();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn keep() {
    // SAFETY: mallopt only sets parameters of the allocator; it takes plain integers and no pointer, and it is called
    // from `main` before any other thread exists.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}
