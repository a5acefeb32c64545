//! Inner products in the widest registers that the machine has, found at run time. One of the two files with `unsafe`.
//!
//! Every version gives the same result to the bit: the integer sums are exact, and the float version adds the same sixteen sums
//! in the same order without fused operations. So a graph built on one machine is the graph built on any other.
//!
//! # Why the `unsafe` is sound
//! - A function with `#[target_feature]` is called in [`Kernels::detected`]'s arms only, after `is_x86_feature_detected!` has
//!   said that the machine has these features; they do not go away while the program runs.
//! - Vector loads read from references to arrays of exactly the loaded size (`&[u8; 32]`), by the unaligned instruction.
//! - A prefetch reads nothing that the program can see, and its address lies within the slice that was given.
#![allow(unsafe_code)]

use std::sync::OnceLock;

/// Codes are padded to a multiple of this many bytes, one cache line.
pub(crate) const LINE: usize = 64;

type DotCodes = fn(&[u8], &[i8]) -> i32;
type DotFloats = fn(&[f32], &[f32]) -> f32;

/// The kernels of this machine.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    /// Sum of products of the whole lines that both have. Up to 65,000 dimensions it cannot overflow.
    pub codes: DotCodes,
    /// Sum of products; of the common length where the lengths differ.
    pub floats: DotFloats,
}

impl Kernels {
    /// The best that the machine has.
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<Kernels> = OnceLock::new();
        *BEST.get_or_init(Self::detected)
    }

    fn detected() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                // SAFETY: the machine has the features, see the head of the file
                return Self {
                    codes: |a, b| unsafe { x86::codes_vnni(a, b) },
                    floats: |a, b| unsafe { x86::floats_avx512(a, b) },
                };
            }
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the machine has the feature, see the head of the file
                return Self {
                    codes: |a, b| unsafe { x86::codes_avx2(a, b) },
                    floats: |a, b| unsafe { x86::floats_avx2(a, b) },
                };
            }
        }
        Self::portable()
    }

    /// Plain Rust, for other machines and as the yardstick of the tests.
    pub(crate) fn portable() -> Self {
        Self { codes: codes_portable, floats: floats_portable }
    }
}

/// Asks for the lines of `bytes` ahead of their use.
#[inline]
pub(crate) fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: an address within a slice; a prefetch has no effect that the program can see
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

fn codes_portable(stored: &[u8], query: &[i8]) -> i32 {
    let (stored, query) = (stored.as_chunks::<LINE>().0, query.as_chunks::<LINE>().0);
    let line = |(a, b): (&[u8; LINE], &[i8; LINE])| -> i32 {
        a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum()
    };
    stored.iter().zip(query).map(line).sum()
}

fn floats_portable(a: &[f32], b: &[f32]) -> f32 {
    floats(a, b)
}

/// Sixteen sums side by side: the compiler keeps them in vector registers.
#[inline(always)]
fn floats(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let length = a.len().min(b.len());
    let (a, b) = (a.get(..length).unwrap_or_default(), b.get(..length).unwrap_or_default());
    let mut sums = [0.0f32; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (x, y) in a.iter().zip(b) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::LINE;

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) fn codes_vnni(stored: &[u8], query: &[i8]) -> i32 {
        let (stored, query) = (stored.as_chunks::<LINE>().0, query.as_chunks::<LINE>().0);
        // two sums, for the instruction takes five cycles
        let mut sums = [_mm512_setzero_si512(); 2];
        let (pairs, last) = stored.as_chunks::<2>();
        let (query_pairs, query_last) = query.as_chunks::<2>();
        for (pair, query) in pairs.iter().zip(query_pairs) {
            for ((sum, a), b) in sums.iter_mut().zip(pair).zip(query) {
                *sum = line_vnni(*sum, a, b);
            }
        }
        for (a, b) in last.iter().zip(query_last) {
            sums[0] = line_vnni(sums[0], a, b);
        }
        _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]))
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn line_vnni(sum: __m512i, a: &[u8; LINE], b: &[i8; LINE]) -> __m512i {
        // SAFETY: each array has the 64 bytes that its load reads
        let (a, b) = unsafe { (_mm512_loadu_si512(a.as_ptr().cast()), _mm512_loadu_si512(b.as_ptr().cast())) };
        _mm512_dpbusd_epi32(sum, a, b)
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn codes_avx2(stored: &[u8], query: &[i8]) -> i32 {
        let (stored, query) = (stored.as_chunks::<16>().0, query.as_chunks::<16>().0);
        let mut sum = _mm256_setzero_si256();
        for (a, b) in stored.iter().zip(query) {
            // SAFETY: each array has the 16 bytes that its load reads
            let (a, b) = unsafe { (_mm_loadu_si128(a.as_ptr().cast()), _mm_loadu_si128(b.as_ptr().cast())) };
            // 16-bit products of bytes would saturate where they are added in 16 bits
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_cvtepu8_epi16(a), _mm256_cvtepi8_epi16(b)));
        }
        let half = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
        let quarter = _mm_add_epi32(half, _mm_shuffle_epi32::<0b_01_00_11_10>(half));
        _mm_cvtsi128_si32(_mm_add_epi32(quarter, _mm_shuffle_epi32::<0b_10_11_00_01>(quarter)))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn floats_avx2(a: &[f32], b: &[f32]) -> f32 {
        super::floats(a, b)
    }

    #[target_feature(enable = "avx512f")]
    pub(super) fn floats_avx512(a: &[f32], b: &[f32]) -> f32 {
        super::floats(a, b)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn all_versions_agree_to_the_bit() {
        let (found, portable) = (Kernels::detected(), Kernels::portable());
        for lines in 0..12 {
            let noise = |i: usize, step: usize| (i * step % 256) as u8;
            let stored: Vec<u8> = (0..lines * LINE).map(|i| noise(i, 7919)).collect();
            let query: Vec<i8> = (0..lines * LINE).map(|i| noise(i, 104_729) as i8).collect();
            assert_eq!((found.codes)(&stored, &query), (portable.codes)(&stored, &query), "{lines} lines");
            let plain: i32 = stored.iter().zip(&query).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
            assert_eq!((portable.codes)(&stored, &query), plain);
        }
        // the largest products there are
        for sign in [-128, 127] {
            let (stored, query) = (vec![255u8; 4096], vec![sign; 4096]);
            assert_eq!((found.codes)(&stored, &query), 4096 * 255 * i32::from(sign));
        }
        for length in [0, 1, 15, 16, 17, 100, 512] {
            let a: Vec<f32> = (0..length).map(|i| (i as f32 * 0.37).sin()).collect();
            let b: Vec<f32> = (0..length).map(|i| (i as f32 * 0.11).cos()).collect();
            assert_eq!((found.floats)(&a, &b).to_bits(), (portable.floats)(&a, &b).to_bits(), "length {length}");
        }
    }
}
