//! Rows of a table of embeddings.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::{fused, gradients, values, with_values};

/// The rows `ids` of `table` (`[rows, width]`), `[ids, width]`. The gradient of a table that is a variable goes through
/// [`gradients`](super::gradients): Candle's passes over the whole table several times.
pub(crate) fn embed(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    if fused(table) && (table.is_variable() || !table.track_op()) {
        return table.contiguous()?.apply_op1(Embed { table: table.clone(), ids: ids.to_vec() });
    }
    table.index_select(&Tensor::from_slice(ids, ids.len(), table.device())?, 0)
}

struct Embed {
    table: Tensor,
    ids: Vec<u32>,
}

impl CustomOp1 for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let table = values(storage, layout, "embed")?;
        let mut y = Vec::with_capacity(self.ids.len() * width);
        for &id in &self.ids {
            match table.get(id as usize * width..(id as usize + 1) * width) {
                Some(row) => y.extend_from_slice(row),
                None => bail!("embed: there is no row {id} in a table of {rows}"),
            }
        }
        Ok((CpuStorage::F32(y), (self.ids.len(), width).into()))
    }

    fn bwd(&self, _: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (rows, width) = self.table.dims2()?;
        let sum = with_values([&grad.contiguous()?], "embed", |[grad]| {
            let mut sum = vec![0.0f32; rows * width];
            for (&id, grad) in self.ids.iter().zip(grad.chunks_exact(width)) {
                let row = &mut sum[id as usize * width..][..width];
                row.iter_mut().zip(grad).for_each(|(s, g)| *s += g);
            }
            Ok(sum)
        })?;
        gradients::give(&self.table, sum)?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::testing::{check_gradients, random};
    use super::*;

    #[test]
    fn gradients_of_repeated_rows() {
        check_gradients(&[random(&[5, 3], 1)], |t| embed(&t[0], &[4, 0, 4, 2]).unwrap());
    }

    #[test]
    fn a_row_that_is_not_there_is_an_error() {
        assert!(embed(&random(&[5, 3], 1), &[5]).unwrap_err().to_string().contains("no row 5"));
    }
}
