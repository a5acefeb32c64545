//! Loops for the instruction set of the processor that runs them.

use rten_simd::{Isa, SimdOp};

struct Call<F>(F);

impl<R, F: FnOnce() -> R> SimdOp for Call<F> {
    type Output = R;

    #[inline(always)]
    fn eval<I: Isa>(self, _isa: I) -> R {
        self.0()
    }
}

/// Runs `f` compiled for AVX-512 or AVX2 where the processor has it: the build itself is for any x86-64. What `f` calls
/// must be inlined into it to profit.
#[inline(always)]
pub(crate) fn vectorised<R>(f: impl FnOnce() -> R) -> R {
    Call(f).dispatch()
}
