//! Where the taps of a kernel lie.

use candle_core::{Result, Tensor};

/// A square kernel on a square film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Side of the input, in pixels.
    pub(crate) side: usize,
    /// Side of the kernel.
    pub(crate) kernel: usize,
    /// Pixels from one place of the kernel to the next.
    pub(crate) stride: usize,
    /// Pixels of padding above and on the left.
    pub(crate) before: usize,
    /// Side of the output.
    pub(crate) out: usize,
}

impl Geometry {
    /// TensorFlow's "same": the output has `side / stride` places, rounded up, and an odd padding has more on the right.
    pub(crate) fn same(side: usize, kernel: usize, stride: usize) -> Self {
        let out = side.div_ceil(stride);
        let total = ((out.max(1) - 1) * stride + kernel).saturating_sub(side);
        Self { side, kernel, stride, before: total / 2, out }
    }

    /// PyTorch's: the same padding on all sides.
    pub(crate) fn padded(side: usize, kernel: usize, stride: usize, padding: usize) -> Self {
        let out = (side + 2 * padding).saturating_sub(kernel) / stride + 1;
        Self { side, kernel, stride, before: padding, out }
    }

    /// Number of taps.
    pub(crate) fn taps(&self) -> usize {
        self.kernel * self.kernel
    }

    /// Pixels of the output.
    pub(crate) fn pixels(&self) -> usize {
        self.out * self.out
    }

    /// Input position of tap `k` at output position `at`, along one axis; `None` in the padding.
    #[inline(always)]
    pub(super) fn input(&self, at: usize, k: usize) -> Option<usize> {
        (at * self.stride + k).checked_sub(self.before).filter(|&i| i < self.side)
    }

    /// Output position that sees input position `i` through tap `k`, along one axis.
    #[inline(always)]
    pub(super) fn output(&self, i: usize, k: usize) -> Option<usize> {
        let shifted = (i + self.before).checked_sub(k)?;
        (shifted % self.stride == 0).then_some(shifted / self.stride).filter(|&o| o < self.out)
    }

    /// For each tap, row after row: the input that it sees at every output place, `[batch, out * out, channels]`. The tensor
    /// operations behind the fused ones.
    pub(super) fn slices(&self, x: &Tensor) -> Result<Vec<Tensor>> {
        let (batch, pixels, channels) = x.dims3()?;
        if pixels != self.side * self.side {
            candle_core::bail!("convolution: {pixels} pixels where {} x {} are expected", self.side, self.side)
        }
        let reach = self.out * self.stride;
        let after = (reach + self.kernel - 1).saturating_sub(self.before + self.side);
        let mut padded = x.reshape((batch, self.side, self.side, channels))?;
        for axis in [1, 2] {
            padded = padded.pad_with_zeros(axis, self.before, after)?;
        }
        let mut slices = Vec::with_capacity(self.taps());
        for ky in 0..self.kernel {
            for kx in 0..self.kernel {
                let mut slice = padded.narrow(1, ky, reach)?.narrow(2, kx, reach)?;
                if self.stride > 1 {
                    slice = slice
                        .contiguous()?
                        .reshape((batch, self.out, self.stride, self.out, self.stride * channels))?
                        .narrow(2, 0, 1)?
                        .narrow(4, 0, channels)?;
                }
                slices.push(slice.contiguous()?.reshape((batch, self.pixels(), channels))?);
            }
        }
        Ok(slices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_uneven_where_it_must_be() {
        // 224 halved by a kernel of 3 needs one pixel of padding: TensorFlow puts it at the end.
        let g = Geometry::same(224, 3, 2);
        assert_eq!((g.before, g.out), (0, 112));
        let g = Geometry::same(15, 5, 2);
        assert_eq!((g.before, g.out), (2, 8));
        let g = Geometry::same(14, 5, 1);
        assert_eq!((g.before, g.out), (2, 14));
    }

    #[test]
    fn input_and_output_are_each_others_inverse() {
        for g in
            [Geometry::same(7, 3, 2), Geometry::same(8, 5, 2), Geometry::padded(9, 7, 2, 3), Geometry::same(5, 3, 1)]
        {
            for k in 0..g.kernel {
                for at in 0..g.out {
                    if let Some(i) = g.input(at, k) {
                        assert_eq!(g.output(i, k), Some(at));
                    }
                }
                for i in 0..g.side {
                    if let Some(at) = g.output(i, k) {
                        assert_eq!(g.input(at, k), Some(i));
                    }
                }
            }
        }
        assert_eq!(Geometry::padded(224, 7, 2, 3).out, 112);
        assert_eq!(Geometry::padded(112, 3, 2, 1).out, 56);
    }
}
