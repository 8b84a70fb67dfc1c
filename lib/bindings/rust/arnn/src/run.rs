//! Inputs and outputs: slices with strides, checked before a call.

use crate::error::{at_least, Error, ErrorKind, Result};
use crate::model::Widths;
use arnn_sys as sys;
use std::mem::size_of;
use std::ptr::{null, null_mut};

/// How many elements an array (steps, count, width) spans; None where that overflows.
pub(crate) fn span(
    steps: usize,
    count: usize,
    width: usize,
    time_stride: usize,
    stream_stride: usize,
) -> Option<usize> {
    if steps == 0 || count == 0 {
        return Some(0);
    }
    let stream = if stream_stride == 0 { width } else { stream_stride };
    let time = if time_stride == 0 { count.checked_mul(stream)? } else { time_stride };
    let last = (steps - 1).checked_mul(time)?.checked_add((count - 1).checked_mul(stream)?)?;
    last.checked_add(width)
}

#[derive(Clone, Copy, Debug)]
enum Data<'a> {
    Dense(&'a [f32]),
    Tokens(&'a [i32]),
}

/// The input of a step or a sequence: (time, stream, inputs), or token ids (time, stream).
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    data: Data<'a>,
    time_stride: usize,
    stream_stride: usize,
}

impl<'a> Input<'a> {
    /// Numbers, for a model with dense input.
    pub fn dense(x: &'a [f32]) -> Self {
        Input { data: Data::Dense(x), time_stride: 0, stream_stride: 0 }
    }

    /// Token ids, for a model with a vocabulary.
    pub fn tokens(tokens: &'a [i32]) -> Self {
        Input { data: Data::Tokens(tokens), time_stride: 0, stream_stride: 0 }
    }

    /// Elements from one time to the next, and from one stream to the next; 0: dense, time-major.
    pub fn strides(mut self, time_stride: usize, stream_stride: usize) -> Self {
        self.time_stride = time_stride;
        self.stream_stride = stream_stride;
        self
    }

    pub(crate) fn checked(&self, widths: &Widths, steps: usize, count: usize) -> Result<sys::arnn_input> {
        let (what, len, width, x, tokens) = match self.data {
            Data::Dense(x) => ("x", x.len(), widths.inputs, x.as_ptr(), null()),
            Data::Tokens(tokens) => ("tokens", tokens.len(), 1, null(), tokens.as_ptr()),
        };
        if widths.tokens != x.is_null() {
            let reads = if widths.tokens { "tokens" } else { "dense input" };
            return Err(Error::new(ErrorKind::InvalidArgument, format!("the model reads {}, not {}", reads, what)));
        }
        at_least(what, len, span(steps, count, width, self.time_stride, self.stream_stride))?;
        let (time_stride, stream_stride) = (self.time_stride, self.stream_stride);
        Ok(sys::arnn_input { struct_size: size_of::<sys::arnn_input>(), x, tokens, time_stride, stream_stride })
    }
}

/// Numbers (time, stream, width) that are read, such as gradients that outputs are owed.
#[derive(Clone, Copy, Debug)]
pub struct Array<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) time_stride: usize,
    pub(crate) stream_stride: usize,
}

/// Where numbers (time, stream, width) go.
#[derive(Debug)]
pub struct ArrayMut<'a> {
    data: &'a mut [f32],
    time_stride: usize,
    stream_stride: usize,
}

impl<'a> Array<'a> {
    /// With strides in elements; 0: dense, time-major.
    pub fn strided(data: &'a [f32], time_stride: usize, stream_stride: usize) -> Self {
        Array { data, time_stride, stream_stride }
    }

    pub(crate) fn checked(&self, what: &str, steps: usize, count: usize, width: usize) -> Result<sys::arnn_array> {
        at_least(what, self.data.len(), span(steps, count, width, self.time_stride, self.stream_stride))?;
        let (time_stride, stream_stride) = (self.time_stride, self.stream_stride);
        Ok(sys::arnn_array { data: self.data.as_ptr() as *mut f32, time_stride, stream_stride })
        // only read
    }
}

impl<'a> ArrayMut<'a> {
    /// With strides in elements; 0: dense, time-major.
    pub fn strided(data: &'a mut [f32], time_stride: usize, stream_stride: usize) -> Self {
        ArrayMut { data, time_stride, stream_stride }
    }

    pub(crate) fn checked(&mut self, what: &str, steps: usize, count: usize, width: usize) -> Result<sys::arnn_array> {
        at_least(what, self.data.len(), span(steps, count, width, self.time_stride, self.stream_stride))?;
        let (time_stride, stream_stride) = (self.time_stride, self.stream_stride);
        Ok(sys::arnn_array { data: self.data.as_mut_ptr(), time_stride, stream_stride })
    }
}

impl<'a> From<&'a [f32]> for Array<'a> {
    fn from(data: &'a [f32]) -> Self {
        Array::strided(data, 0, 0)
    }
}

impl<'a> From<&'a Vec<f32>> for Array<'a> {
    fn from(data: &'a Vec<f32>) -> Self {
        Array::strided(data, 0, 0)
    }
}

impl<'a, const N: usize> From<&'a [f32; N]> for Array<'a> {
    fn from(data: &'a [f32; N]) -> Self {
        Array::strided(data, 0, 0)
    }
}

impl<'a> From<&'a mut [f32]> for ArrayMut<'a> {
    fn from(data: &'a mut [f32]) -> Self {
        ArrayMut::strided(data, 0, 0)
    }
}

impl<'a> From<&'a mut Vec<f32>> for ArrayMut<'a> {
    fn from(data: &'a mut Vec<f32>) -> Self {
        ArrayMut::strided(data, 0, 0)
    }
}

impl<'a, const N: usize> From<&'a mut [f32; N]> for ArrayMut<'a> {
    fn from(data: &'a mut [f32; N]) -> Self {
        ArrayMut::strided(data, 0, 0)
    }
}

pub(crate) const NOTHING: sys::arnn_array = sys::arnn_array { data: null_mut(), time_stride: 0, stream_stride: 0 };

pub(crate) fn wanted(
    array: &mut Option<ArrayMut<'_>>,
    what: &str,
    steps: usize,
    count: usize,
    width: usize,
) -> Result<sys::arnn_array> {
    array.as_mut().map_or(Ok(NOTHING), |array| array.checked(what, steps, count, width))
}

/// The outputs that are wanted. With ragged lengths, what lies beyond a stream's length is not written.
#[derive(Debug, Default)]
pub struct Output<'a> {
    y: Option<ArrayMut<'a>>,
    h: Option<ArrayMut<'a>>,
    s: Option<ArrayMut<'a>>,
    map: Option<ArrayMut<'a>>,
    map_zero: Option<ArrayMut<'a>>,
    map_layer: usize,
    map_columns: usize,
}

impl<'a> Output<'a> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The readout, (time, stream, output width).
    pub fn y(mut self, y: impl Into<ArrayMut<'a>>) -> Self {
        self.y = Some(y.into());
        self
    }

    /// h of the top layer, (time, stream, hidden).
    pub fn h(mut self, h: impl Into<ArrayMut<'a>>) -> Self {
        self.h = Some(h.into());
        self
    }

    /// s of the top layer, (time, stream, hidden).
    pub fn s(mut self, s: impl Into<ArrayMut<'a>>) -> Self {
        self.s = Some(s.into());
        self
    }

    /// The attention weights of a layer by row, (time, stream, columns).
    pub fn map(mut self, map: impl Into<ArrayMut<'a>>, layer: usize, columns: usize) -> Self {
        self.map = Some(map.into());
        self.map_layer = layer;
        self.map_columns = columns;
        self
    }

    /// The zero row's weights in that layer (layer 0 unless `map` is asked for), (time, stream).
    pub fn map_zero(mut self, map_zero: impl Into<ArrayMut<'a>>) -> Self {
        self.map_zero = Some(map_zero.into());
        self
    }

    pub(crate) fn checked(&mut self, widths: &Widths, steps: usize, count: usize) -> Result<sys::arnn_output> {
        Ok(sys::arnn_output {
            struct_size: size_of::<sys::arnn_output>(),
            y: wanted(&mut self.y, "y", steps, count, widths.outputs)?,
            h: wanted(&mut self.h, "h", steps, count, widths.hidden)?,
            s: wanted(&mut self.s, "s", steps, count, widths.hidden)?,
            map: wanted(&mut self.map, "map", steps, count, self.map_columns)?,
            map_zero: wanted(&mut self.map_zero, "map_zero", steps, count, 1)?,
            map_layer: self.map_layer,
            map_columns: self.map_columns,
        })
    }
}
