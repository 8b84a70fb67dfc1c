//! Descriptions: what a model computes, how a cache is laid out, how a model is trained. Each begins with the library's own
//! defaults; a field and the builder's method that sets it share their name.

use crate::error::{check, Result};
use arnn_sys as sys;
use std::mem::{size_of, MaybeUninit};

/// How a value stands in a struct of the header.
pub(crate) trait Raw: Copy {
    type C;
    fn to_c(self) -> Self::C;
    fn from_c(value: Self::C) -> Self;
}

macro_rules! itself {
    ($($type:ty),*) => {$(
        impl Raw for $type {
            type C = $type;
            fn to_c(self) -> $type { self }
            fn from_c(value: $type) -> $type { value }
        }
    )*};
}
itself!(i32, f32, usize, u64);

impl Raw for bool {
    type C = i32;
    fn to_c(self) -> i32 {
        self.into()
    }
    fn from_c(value: i32) -> bool {
        value != 0
    }
}

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $constant:ident,)* }) => {
        $(#[$doc])*
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$about])* $variant,)*
            /// A constant of the header that this version of the binding has no name for.
            Other(i32),
        }

        impl Raw for $name {
            type C = i32;
            fn to_c(self) -> i32 {
                match self { $($name::$variant => sys::$constant,)* $name::Other(value) => value }
            }
            fn from_c(value: i32) -> Self {
                match value { $(sys::$constant => $name::$variant,)* other => $name::Other(other) }
            }
        }
    };
}

choice!(
    /// The recurrent cell; gates, weights and biases are PyTorch's.
    Cell {
        /// `h = tanh(W_ih x + b_ih + W_hh s + b_hh)`
        RnnTanh = ARNN_CELL_RNN_TANH,
        /// The same with max(0, .).
        RnnRelu = ARNN_CELL_RNN_RELU,
        /// The gated recurrent unit.
        Gru = ARNN_CELL_GRU,
        /// Long short-term memory.
        Lstm = ARNN_CELL_LSTM,
    }
);
choice!(
    /// Where attention stands in the step, and what the cell reads.
    Wiring {
        /// The ordinary cell; no tape.
        None = ARNN_WIRING_NONE,
        /// The cell runs on the summary; then the summary is read from all states, the new one included.
        After = ARNN_WIRING_AFTER,
        /// The cell keeps h and reads the summary as further input.
        Beside = ARNN_WIRING_BESIDE,
        /// The summary (and the LSTM's memory) is read first, then the cell runs on it.
        Before = ARNN_WIRING_BEFORE,
    }
);
choice!(
    /// The score of a past state against the query.
    Score {
        /// `scale (W_K h)'(W_Q z)`
        Dot = ARNN_SCORE_DOT,
        /// `scale h' W z`
        General = ARNN_SCORE_GENERAL,
        /// `v' tanh(W_K h + W_Q z)`
        Additive = ARNN_SCORE_ADDITIVE,
    }
);
choice!(
    /// How attention starts.
    AttentionStart {
        /// Spread over the past.
        Spread = ARNN_ATTENTION_SPREAD,
        /// On the newest row, as an ordinary RNN.
        Newest = ARNN_ATTENTION_NEWEST,
    }
);
choice!(
    /// Whether a row of zeros takes part in every softmax.
    StartRow {
        /// It does not.
        None = ARNN_START_NONE,
        /// It does.
        Zero = ARNN_START_ZERO,
    }
);
choice!(
    /// What the readout reads from the top layer.
    Source {
        /// h
        H = ARNN_SOURCE_H,
        /// s
        S = ARNN_SOURCE_S,
        /// [h; s]
        Hs = ARNN_SOURCE_HS,
    }
);
choice!(
    /// Types of elements, of tapes and of weights.
    Type {
        /// float32
        F32 = ARNN_TYPE_F32,
        /// float16
        F16 = ARNN_TYPE_F16,
        /// bfloat16
        Bf16 = ARNN_TYPE_BF16,
        /// 8-bit integers q that stand for q / 127
        I8 = ARNN_TYPE_I8,
    }
);
choice!(
    /// What a layer carries from step to step.
    Value {
        /// The summary.
        S = ARNN_VALUE_S,
        /// The LSTM's memory.
        M = ARNN_VALUE_M,
        /// The state, in `Beside`.
        H = ARNN_VALUE_H,
    }
);
choice!(
    /// What training makes small.
    Loss {
        /// `log sum exp(y) - y_label`
        CrossEntropy = ARNN_LOSS_CROSS_ENTROPY,
        /// `mean (y - value)^2`
        SquaredError = ARNN_LOSS_SQUARED_ERROR,
    }
);
choice!(
    /// Over which outputs the loss goes.
    Over {
        /// Those of every step.
        Steps = ARNN_OVER_STEPS,
        /// That of the last step of each stream.
        Last = ARNN_OVER_LAST,
        /// The readout of the mean over a stream's steps.
        Mean = ARNN_OVER_MEAN,
    }
);
choice!(
    /// How parameters are updated.
    Optimiser {
        /// Gradient descent with momentum.
        Sgd = ARNN_OPTIMISER_SGD,
        /// Adam.
        Adam = ARNN_OPTIMISER_ADAM,
        /// Adam with decoupled weight decay.
        Adamw = ARNN_OPTIMISER_ADAMW,
    }
);

/// A struct of the header as the library's default function fills it.
pub(crate) fn defaults<T>(fill: unsafe extern "C" fn(*mut T, usize) -> sys::arnn_status) -> Result<T> {
    let mut raw = MaybeUninit::<T>::zeroed(); // every struct of the header is plain: zeros are a value
    check(unsafe { fill(raw.as_mut_ptr(), size_of::<T>()) })?;
    Ok(unsafe { raw.assume_init() })
}

macro_rules! description {
    ($(#[$doc:meta])* $name:ident, $raw:ident, $fill:ident { $($(#[$about:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name { $($(#[$about])* pub $field: $type,)* }

        impl Default for $name {
            /// The library's defaults.
            fn default() -> Self {
                Self::from_raw(&defaults(sys::$fill).expect("a library older than this binding"))
            }
        }

        impl $name {
            /// The library's defaults.
            pub fn new() -> Self { Self::default() }

            $($(#[$about])* pub fn $field(mut self, $field: $type) -> Self { self.$field = $field; self })*

            pub(crate) fn from_raw(raw: &sys::$raw) -> Self {
                $name { $($field: Raw::from_c(raw.$field),)* }
            }

            pub(crate) fn to_raw(self) -> Result<sys::$raw> {
                let mut raw = defaults(sys::$fill)?;
                $(raw.$field = self.$field.to_c();)*
                Ok(raw)
            }
        }
    };
}

description!(
    /// What a model computes.
    ///
    /// ```
    /// use arnn::{Cell, ModelDesc, Wiring};
    /// let desc = ModelDesc::new().cell(Cell::Gru).wiring(Wiring::Beside).inputs(8).hidden(32);
    /// assert_eq!((desc.inputs, desc.hidden, desc.layers), (8, 32, 1));
    /// ```
    ModelDesc, arnn_model_desc, arnn_model_desc_default {
        /// The cell; default rnn with tanh.
        cell: Cell,
        /// The wiring; default after.
        wiring: Wiring,
        /// The score; default dot.
        score: Score,
        /// How attention starts; default spread.
        attention_start: AttentionStart,
        /// Whether a row of zeros takes part; default none.
        start_row: StartRow,
        /// Whether older rows fade by a trainable rate; default no.
        recency: bool,
        /// Whether layers above the first read the input as well; default no.
        skip: bool,
        /// What the readout reads; default h.
        source: Source,
        /// Of dot and general scores; default 1.
        scale: f32,
        /// The rate of fading that `Model::init` writes; default 0.1.
        recency_start: f32,
        /// d, the width of the input, or of the embedding; default 256.
        inputs: usize,
        /// n, the hidden width; default 256.
        hidden: usize,
        /// Layers; default 1.
        layers: usize,
        /// How many token ids there are; 0 (default): dense input.
        vocab: usize,
        /// k, the width of the alignment space; 0 (default): n.
        align: usize,
        /// Only the newest so many rows are read; 0 (default): all.
        window: usize,
        /// With a window: the first so many rows ever are read as well; default 0.
        sinks: usize,
        /// The width of the readout; 0 (default): none.
        outputs: usize,
    }
);
description!(
    /// How a cache is laid out.
    CacheDesc, arnn_cache_desc, arnn_cache_desc_default {
        /// Of the states; default F32.
        tape_type: Type,
        /// Of the LSTM's memories in `before`: F32 (default) or BF16.
        memory_type: Type,
        /// Of the exponents of additive scores: F32 (default) or BF16.
        key_type: Type,
        /// How many threads steps on this cache use, the caller's among them; default 1.
        threads: i32,
        /// Rows of a page, a power of two from 16 to 512; 0 (default): the library's choice.
        page_rows: usize,
        /// Room made at once: for so many streams ..
        streams: usize,
        /// .. of so many rows each.
        rows: usize,
        /// The cache grows up to so many bytes; default without limit; 0: the room made at once is all there ever is.
        max_bytes: usize,
    }
);
description!(
    /// The room of a recorded run.
    RecordDesc, arnn_record_desc, arnn_record_desc_default {
        /// Threads, the caller's among them; default 1.
        threads: i32,
        /// So many streams ..
        streams: usize,
        /// .. of so many steps at once ..
        steps: usize,
        /// .. on so many rows of earlier runs; default 0.
        past: usize,
    }
);
description!(
    /// How a model is trained.
    TrainerDesc, arnn_trainer_desc, arnn_trainer_desc_default {
        /// The loss; default cross entropy.
        loss: Loss,
        /// Over which outputs; default those of all steps.
        over: Over,
        /// The optimiser; default Adam.
        optimiser: Optimiser,
        /// Threads, the caller's among them; default 1.
        threads: i32,
        /// Of gradient descent, and Adam's beta_1; default 0.9.
        momentum: f32,
        /// Adam's beta_2; default 0.999.
        second_momentum: f32,
        /// Adam's; default 1e-8.
        epsilon: f32,
        /// Default 0.
        weight_decay: f32,
        /// The norm to which larger gradients are scaled down; default 1; 0: never.
        clip: f32,
        /// The probability with which numbers of every layer's input are dropped; default 0.
        dropout: f32,
        /// The same, of the readout's input.
        readout_dropout: f32,
        /// Of dropout.
        seed: u64,
        /// Room for so many streams ..
        streams: usize,
        /// .. of so many steps a call ..
        steps: usize,
        /// .. after so many earlier steps; defaults 32, 128 and 0.
        past: usize,
    }
);
