//! The declarations of `arnn.h` in Rust, as they stand there: names, types, order. What each one does is written in the
//! header. The crate `arnn` wraps them safely; this one is for those who need what it does not give.
//!
//! The tests compare every size, offset, constant and signature with the header that `pkg-config` finds.

#![allow(non_camel_case_types)]

use std::ffi::c_void;
use std::os::raw::c_char;

mod functions;
pub use functions::*;

/// What every function returns; 0 is success.
pub type arnn_status = i32;

macro_rules! opaque {
    ($($name:ident),*) => {$(
        /// A handle: only pointers to it exist here.
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
            _pinned: std::marker::PhantomData<(*mut u8, std::marker::PhantomPinned)>,
        }
    )*};
}

pub const ARNN_OK: i32 = 0;
pub const ARNN_INVALID_ARGUMENT: i32 = 1;
pub const ARNN_SHAPE: i32 = 2;
pub const ARNN_UNSUPPORTED: i32 = 3;
pub const ARNN_NOT_FOUND: i32 = 4;
pub const ARNN_BUSY: i32 = 5;
pub const ARNN_FULL: i32 = 6;
pub const ARNN_NO_MEMORY: i32 = 7;
pub const ARNN_IO: i32 = 8;
pub const ARNN_FORMAT: i32 = 9;
pub const ARNN_CELL_RNN_TANH: i32 = 0;
pub const ARNN_CELL_RNN_RELU: i32 = 1;
pub const ARNN_CELL_GRU: i32 = 2;
pub const ARNN_CELL_LSTM: i32 = 3;
pub const ARNN_WIRING_NONE: i32 = 0;
pub const ARNN_WIRING_AFTER: i32 = 1;
pub const ARNN_WIRING_BESIDE: i32 = 2;
pub const ARNN_WIRING_BEFORE: i32 = 3;
pub const ARNN_SCORE_DOT: i32 = 0;
pub const ARNN_SCORE_GENERAL: i32 = 1;
pub const ARNN_SCORE_ADDITIVE: i32 = 2;
pub const ARNN_ATTENTION_SPREAD: i32 = 0;
pub const ARNN_ATTENTION_NEWEST: i32 = 1;
pub const ARNN_START_NONE: i32 = 0;
pub const ARNN_START_ZERO: i32 = 1;
pub const ARNN_SOURCE_H: i32 = 0;
pub const ARNN_SOURCE_S: i32 = 1;
pub const ARNN_SOURCE_HS: i32 = 2;
pub const ARNN_TYPE_F32: i32 = 0;
pub const ARNN_TYPE_F16: i32 = 1;
pub const ARNN_TYPE_BF16: i32 = 2;
pub const ARNN_TYPE_I8: i32 = 3;
pub const ARNN_VALUE_S: i32 = 0;
pub const ARNN_VALUE_M: i32 = 1;
pub const ARNN_VALUE_H: i32 = 2;
pub const ARNN_LOSS_CROSS_ENTROPY: i32 = 0;
pub const ARNN_LOSS_SQUARED_ERROR: i32 = 1;
pub const ARNN_OVER_STEPS: i32 = 0;
pub const ARNN_OVER_LAST: i32 = 1;
pub const ARNN_OVER_MEAN: i32 = 2;
pub const ARNN_OPTIMISER_SGD: i32 = 0;
pub const ARNN_OPTIMISER_ADAM: i32 = 1;
pub const ARNN_OPTIMISER_ADAMW: i32 = 2;

opaque!(arnn_model, arnn_cache, arnn_state, arnn_record, arnn_trainer);

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_model_desc {
    pub struct_size: usize,
    pub cell: i32,
    pub wiring: i32,
    pub score: i32,
    pub attention_start: i32,
    pub start_row: i32,
    pub recency: i32,
    pub skip: i32,
    pub source: i32,
    pub scale: f32,
    pub recency_start: f32,
    pub inputs: usize,
    pub hidden: usize,
    pub layers: usize,
    pub vocab: usize,
    pub align: usize,
    pub window: usize,
    pub sinks: usize,
    pub outputs: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_load_options {
    pub struct_size: usize,
    pub desc: *const arnn_model_desc,
    pub prefix: *const c_char,
    pub ignore_unknown: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_cache_desc {
    pub struct_size: usize,
    pub tape_type: i32,
    pub memory_type: i32,
    pub key_type: i32,
    pub threads: i32,
    pub page_rows: usize,
    pub streams: usize,
    pub rows: usize,
    pub max_bytes: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_input {
    pub struct_size: usize,
    pub x: *const f32,
    pub tokens: *const i32,
    pub time_stride: usize,
    pub stream_stride: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_array {
    pub data: *mut f32,
    pub time_stride: usize,
    pub stream_stride: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_output {
    pub struct_size: usize,
    pub y: arnn_array,
    pub h: arnn_array,
    pub s: arnn_array,
    pub map: arnn_array,
    pub map_zero: arnn_array,
    pub map_layer: usize,
    pub map_columns: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_rows {
    pub data: *const c_void,
    pub count: usize,
    pub stride: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_record_desc {
    pub struct_size: usize,
    pub threads: i32,
    pub reserved: i32,
    pub streams: usize,
    pub steps: usize,
    pub past: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_output_gradient {
    pub struct_size: usize,
    pub y: arnn_array,
    pub h: arnn_array,
    pub s: arnn_array,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_gradient {
    pub struct_size: usize,
    pub parameters: *mut f32,
    pub x: arnn_array,
    pub s: *mut f32,
    pub m: *mut f32,
    pub h: *mut f32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_trainer_desc {
    pub struct_size: usize,
    pub loss: i32,
    pub over: i32,
    pub optimiser: i32,
    pub threads: i32,
    pub momentum: f32,
    pub second_momentum: f32,
    pub epsilon: f32,
    pub weight_decay: f32,
    pub clip: f32,
    pub dropout: f32,
    pub readout_dropout: f32,
    pub reserved: i32,
    pub seed: u64,
    pub streams: usize,
    pub steps: usize,
    pub past: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_examples {
    pub struct_size: usize,
    pub x: *const f32,
    pub tokens: *const i32,
    pub time_stride: usize,
    pub stream_stride: usize,
    pub labels: *const i32,
    pub values: *const f32,
    pub wanted_time_stride: usize,
    pub wanted_stream_stride: usize,
    pub weights: *const f32,
    pub lengths: *const usize,
    pub steps: usize,
    pub count: usize,
    pub carry: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct arnn_training {
    pub struct_size: usize,
    pub loss: f64,
    pub weight: f64,
    pub correct: f64,
    pub norm: f64,
}
