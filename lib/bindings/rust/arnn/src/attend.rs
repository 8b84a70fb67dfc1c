//! Attention alone, for a cache of the caller's own.

use crate::desc::{Raw, Type};
use crate::error::{at_least, check, exactly, too_large, Error, ErrorKind, Result};
use crate::run::span;
use arnn_sys as sys;
use std::ptr::null_mut;

#[derive(Clone, Copy, Debug)]
enum Elements<'a> {
    F32(&'a [f32]),
    F16(&'a [u16]),
    Bf16(&'a [u16]),
    I8(&'a [i8]),
}

/// The rows of one past, (count, width).
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    elements: Elements<'a>,
    count: usize,
    stride: usize,
}

impl<'a> Rows<'a> {
    fn new(elements: Elements<'a>, count: usize) -> Self {
        Rows { elements, count, stride: 0 }
    }

    /// float32
    pub fn f32(data: &'a [f32], count: usize) -> Self {
        Self::new(Elements::F32(data), count)
    }

    /// float16, as bits
    pub fn f16(data: &'a [u16], count: usize) -> Self {
        Self::new(Elements::F16(data), count)
    }

    /// bfloat16, as bits
    pub fn bf16(data: &'a [u16], count: usize) -> Self {
        Self::new(Elements::Bf16(data), count)
    }

    /// Integers q that stand for q / 127
    pub fn i8(data: &'a [i8], count: usize) -> Self {
        Self::new(Elements::I8(data), count)
    }

    /// Elements from one row to the next; 0: the width.
    pub fn stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    fn checked(&self, width: usize) -> Result<(Type, sys::arnn_rows)> {
        let (element, data, len) = match self.elements {
            Elements::F32(data) => (Type::F32, data.as_ptr().cast(), data.len()),
            Elements::F16(data) => (Type::F16, data.as_ptr().cast(), data.len()),
            Elements::Bf16(data) => (Type::Bf16, data.as_ptr().cast(), data.len()),
            Elements::I8(data) => (Type::I8, data.as_ptr().cast(), data.len()),
        };
        at_least("rows", len, span(self.count, 1, width, self.stride, 0))?;
        Ok((element, sys::arnn_rows { data, count: self.count, stride: self.stride }))
    }
}

/// For each query (rows.len(), width) the softmax-weighted mean of its rows: contexts (rows.len(), width), and on request the
/// logsumexp of the scores (rows.len()) and the weights (rows.len(), any stride that holds the largest count). All rows
/// have elements of one type.
///
/// ```
/// let mut context = [0.0; 2];
/// let rows = [arnn::Rows::f32(&[1.0, 0.0, 0.0, 1.0], 2)];
/// arnn::attend(&mut context, None, None, &[0.0, 0.0], &rows, 2, 1.0)?;
/// assert_eq!(context, [0.5, 0.5]);
/// # Ok::<(), arnn::Error>(())
/// ```
pub fn attend(
    contexts: &mut [f32],
    logsumexp: Option<&mut [f32]>,
    weights: Option<&mut [f32]>,
    queries: &[f32],
    rows: &[Rows<'_>],
    width: usize,
    scale: f32,
) -> Result<()> {
    let batch = rows.len();
    let all = batch.checked_mul(width).ok_or_else(|| too_large("contexts"))?;
    exactly("contexts", contexts.len(), all)?;
    exactly("queries", queries.len(), all)?;
    if let Some(logsumexp) = logsumexp.as_ref() {
        exactly("logsumexp", logsumexp.len(), batch)?;
    }
    let stride = weights.as_ref().map_or(0, |weights| weights.len() / batch.max(1));
    if let Some(weights) = weights.as_ref() {
        exactly("weights", weights.len(), stride * batch)?;
    }
    let checked = rows.iter().map(|rows| rows.checked(width)).collect::<Result<Vec<_>>>()?;
    let element = checked.first().map_or(Type::F32, |first| first.0);
    if checked.iter().any(|each| each.0 != element) {
        return Err(Error::new(ErrorKind::InvalidArgument, "rows have elements of different types".to_string()));
    }
    let raw: Vec<sys::arnn_rows> = checked.into_iter().map(|each| each.1).collect();
    let logsumexp = logsumexp.map_or(null_mut(), |slice| slice.as_mut_ptr());
    let weights = weights.map_or(null_mut(), |slice| slice.as_mut_ptr());
    let (contexts, queries, rows) = (contexts.as_mut_ptr(), queries.as_ptr(), raw.as_ptr());
    check(unsafe {
        sys::arnn_attend(contexts, logsumexp, weights, queries, rows, batch, width, stride, element.to_c(), scale)
    })
}

/// Merges two partial results over disjoint rows: the first pair becomes what one read over both sets would give.
pub fn attend_merge(
    contexts: &mut [f32],
    logsumexp: &mut [f32],
    other_contexts: &[f32],
    other_logsumexp: &[f32],
    width: usize,
) -> Result<()> {
    let batch = logsumexp.len();
    let all = batch.checked_mul(width).ok_or_else(|| too_large("contexts"))?;
    exactly("contexts", contexts.len(), all)?;
    exactly("other_contexts", other_contexts.len(), all)?;
    exactly("other_logsumexp", other_logsumexp.len(), batch)?;
    let (contexts, logsumexp) = (contexts.as_mut_ptr(), logsumexp.as_mut_ptr());
    let (others, other_logsumexp) = (other_contexts.as_ptr(), other_logsumexp.as_ptr());
    check(unsafe { sys::arnn_attend_merge(contexts, logsumexp, others, other_logsumexp, batch, width) })
}
