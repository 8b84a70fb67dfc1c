//! Recurrent networks whose every step attends to all of their past hidden states: a safe interface to the C library.
//!
//! ```
//! use arnn::{Cell, Input, Model, ModelDesc, Output, State, Wiring};
//!
//! let desc = ModelDesc::new().cell(Cell::Gru).wiring(Wiring::Beside).inputs(8).hidden(32).outputs(2);
//! let mut model = Model::new(&desc)?;
//! model.init(1)?;
//!
//! // Three streams of different lengths, arrays (time, stream, width); each thread has a state of its own.
//! let run = || -> arnn::Result<Vec<f32>> {
//!     let (x, mut y) = (vec![0.5; 100 * 3 * 8], vec![0.0; 100 * 3 * 2]);
//!     let mut state = State::new(&model, 3)?;
//!     state.forward(Input::dense(&x), Output::new().y(&mut y), Some(&[100, 0, 57]), None, 100, 3)?;
//!     Ok(y)
//! };
//! let (one, two) = std::thread::scope(|scope| {
//!     let (one, two) = (scope.spawn(run), scope.spawn(run));
//!     (one.join().unwrap(), two.join().unwrap())
//! });
//! assert_eq!(one?, two?);
//! # Ok::<(), arnn::Error>(())
//! ```
//!
//! Names, shapes and meanings are those of the header `arnn.h`, which is the manual; here stands what Rust adds.
//!
//! | | |
//! |---|---|
//! | [`Model`], [`ModelDesc`] | what is computed, and the weights: by name, from a seed, from safetensors files |
//! | [`State`], [`Cache`] | streams, each with its own length and past; [`step`](Streams::step), [`forward`](Streams::forward) |
//! | [`Record`] | gradients of parameters, inputs and initial values, for a framework of your own |
//! | [`Trainer`], [`Examples`] | losses, optimisers, checkpoints; [`sample`] |
//! | [`attend()`], [`attend_merge`] | the read alone, for a cache of your own |
//!
//! # Shapes
//!
//! Arrays are slices of (time, stream, width), row-major, the width contiguous; one step has one time. Strides in elements
//! ([`Input::strides`], [`ArrayMut::strided`]) let other layouts pass without a copy. Slices are checked before the library
//! sees them: one too short is [`ErrorKind::Shape`], with both numbers.
//!
//! # Threads
//!
//! A [`Model`] is `Send + Sync`: threads share it by reference, and each makes states of its own. A [`State`] owns its streams
//! together with the [`Cache`] that they rest on, and goes from thread to thread as one: it is `Send` and not `Sync`. With
//! [`CacheDesc::threads`] a step has helpers of its own; the results are the same bits for any number. Nothing is locked.
//!
//! # Errors
//!
//! Everything that can fail gives a [`Result`]. An [`Error`] carries its [`ErrorKind`], one a status of the header, and a
//! sentence with names and numbers. After an error nothing has changed, and the value can be used on.

#![warn(missing_docs)]

mod attend;
mod cache;
mod desc;
mod error;
mod model;
mod record;
mod run;
mod state;
mod trainer;

pub use attend::{attend, attend_merge, Rows};
pub use cache::{Cache, CacheBytes, Page};
pub use desc::{
    AttentionStart, CacheDesc, Cell, Loss, ModelDesc, Optimiser, Over, RecordDesc, Score, Source, StartRow,
    TrainerDesc, Type, Value, Wiring,
};
pub use error::{Error, ErrorKind, Result};
pub use model::{LoadOptions, Model, Parameter};
pub use record::{Gradient, OutputGradient, Record};
pub use run::{Array, ArrayMut, Input, Output};
pub use state::{State, States, Streams, Weights};
pub use trainer::{sample, Examples, Trainer, Training};

/// The version of the library in use: major * 10000 + minor * 100 + patch.
pub fn version() -> i32 {
    unsafe { arnn_sys::arnn_version() }
}

/// One line: version, kernel tables, BLAS.
pub fn build_info() -> String {
    unsafe { std::ffi::CStr::from_ptr(arnn_sys::arnn_build_info()) }.to_string_lossy().into_owned()
}

/// A constant of the header by its name.
///
/// ```
/// assert_eq!(arnn::constant("ARNN_CELL_GRU")?, 2);
/// # Ok::<(), arnn::Error>(())
/// ```
pub fn constant(name: &str) -> Result<i32> {
    let name = error::c_string("name", name)?;
    let mut value = 0;
    error::check(unsafe { arnn_sys::arnn_constant(name.as_ptr(), &mut value) })?;
    Ok(value)
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct ReadMe;
