//! Training.

use crate::desc::{defaults, Over, TrainerDesc};
use crate::error::{at_least, c_path, check, exactly, Error, ErrorKind, Result};
use crate::model::Model;
use crate::run::{span, Input};
use arnn_sys as sys;
use std::path::Path;
use std::ptr::{null_mut, NonNull};

#[derive(Clone, Copy, Debug)]
enum Wanted<'a> {
    Labels(&'a [i32]),
    Values(&'a [f32]),
}

/// What a model learns from: an input (time, stream, ..) and what is wanted of each output; of the loss over the last
/// output or the mean, of each stream.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    input: Input<'a>,
    wanted: Wanted<'a>,
    wanted_strides: (usize, usize),
    weights: Option<&'a [f32]>,
    lengths: Option<&'a [usize]>,
    steps: usize,
    count: usize,
    carry: bool,
}

impl<'a> Examples<'a> {
    fn new(input: Input<'a>, wanted: Wanted<'a>, steps: usize, count: usize) -> Self {
        Examples { input, wanted, wanted_strides: (0, 0), weights: None, lengths: None, steps, count, carry: false }
    }

    /// For cross entropy: indices of outputs; a negative one is ignored.
    pub fn labels(input: Input<'a>, labels: &'a [i32], steps: usize, count: usize) -> Self {
        Self::new(input, Wanted::Labels(labels), steps, count)
    }

    /// For the squared error: numbers, as many as outputs.
    pub fn values(input: Input<'a>, values: &'a [f32], steps: usize, count: usize) -> Self {
        Self::new(input, Wanted::Values(values), steps, count)
    }

    /// Elements of labels or values from one time to the next, and from one stream to the next; 0: dense, time-major.
    pub fn wanted_strides(mut self, time_stride: usize, stream_stride: usize) -> Self {
        self.wanted_strides = (time_stride, stream_stride);
        self
    }

    /// What each stream counts.
    pub fn weights(mut self, weights: &'a [f32]) -> Self {
        self.weights = Some(weights);
        self
    }

    /// How many steps each stream makes.
    pub fn lengths(mut self, lengths: &'a [usize]) -> Self {
        self.lengths = Some(lengths);
        self
    }

    /// Whether the streams go on where the last call left them.
    pub fn carry(mut self, carry: bool) -> Self {
        self.carry = carry;
        self
    }

    fn checked(&self, model: &Model, over: Over) -> Result<sys::arnn_examples> {
        let input = self.input.checked(&model.widths, self.steps, self.count)?;
        let mut given = defaults(sys::arnn_examples_default)?;
        let (what, len, width) = match self.wanted {
            Wanted::Labels(labels) => {
                given.labels = labels.as_ptr();
                ("labels", labels.len(), 1)
            }
            Wanted::Values(values) => {
                given.values = values.as_ptr();
                ("values", values.len(), model.widths.outputs)
            }
        };
        let times = if over == Over::Steps { self.steps } else { self.steps.min(1) };
        at_least(what, len, span(times.max(1), self.count, width, self.wanted_strides.0, self.wanted_strides.1))?;
        if let Some(weights) = self.weights {
            exactly("weights", weights.len(), self.count)?;
            given.weights = weights.as_ptr();
        }
        if let Some(lengths) = self.lengths {
            exactly("lengths", lengths.len(), self.count)?;
            given.lengths = lengths.as_ptr();
        }
        given.x = input.x;
        given.tokens = input.tokens;
        given.time_stride = input.time_stride;
        given.stream_stride = input.stream_stride;
        given.wanted_time_stride = self.wanted_strides.0;
        given.wanted_stream_stride = self.wanted_strides.1;
        given.steps = self.steps;
        given.count = self.count;
        given.carry = self.carry.into();
        Ok(given)
    }
}

/// What came out of a step of learning or an evaluation.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// The loss.
    pub loss: f64,
    /// The sum of weights.
    pub weight: f64,
    /// Of cross entropy: the part of the weight whose largest output is the label.
    pub correct: f64,
    /// Of the gradient before clipping; 0 after an evaluation.
    pub norm: f64,
}

/// Changes the model that it was made for, which it has alone while it lives.
///
/// ```
/// use arnn::{Examples, Input, Loss, Model, ModelDesc, Trainer, TrainerDesc};
/// let mut model = Model::new(&ModelDesc::new().inputs(1).hidden(8).outputs(1))?;
/// model.init(1)?;
/// let mut trainer = Trainer::new(&mut model, &TrainerDesc::new().loss(Loss::SquaredError).streams(1).steps(4))?;
/// let examples = Examples::values(Input::dense(&[0.1, 0.2, 0.3, 0.4]), &[0.2, 0.3, 0.4, 0.5], 4, 1);
/// let before = trainer.evaluate(&examples)?.loss;
/// for _ in 0..20 {
///     trainer.step(&examples, 0.01)?;
/// }
/// assert!(trainer.evaluate(&examples)?.loss < before);
/// # Ok::<(), arnn::Error>(())
/// ```
///
/// ```compile_fail,E0502
/// let mut model = arnn::Model::new(&arnn::ModelDesc::new()).unwrap();
/// let mut trainer = arnn::Trainer::new(&mut model, &arnn::TrainerDesc::new()).unwrap();
/// let state = arnn::State::new(&model, 1).unwrap();
/// trainer.update(0.1).unwrap();
/// ```
#[derive(Debug)]
pub struct Trainer<'m> {
    raw: NonNull<sys::arnn_trainer>,
    model: &'m mut Model,
    over: Over,
}

// It has its model alone.
unsafe impl Send for Trainer<'_> {}

impl<'m> Trainer<'m> {
    /// A trainer with its moments at zero.
    pub fn new(model: &'m mut Model, desc: &TrainerDesc) -> Result<Self> {
        let mut raw = null_mut();
        check(unsafe { sys::arnn_trainer_create(&mut raw, model.as_ptr(), &desc.to_raw()?) })?;
        let raw = NonNull::new(raw).expect("the library gave no trainer and no error");
        Ok(Trainer { raw, model, over: desc.over })
    }

    /// The model as it is now.
    pub fn model(&self) -> &Model {
        self.model
    }

    fn pass<F>(&mut self, examples: &Examples<'_>, pass: F) -> Result<Training>
    where
        F: FnOnce(*mut sys::arnn_trainer, *mut sys::arnn_training, *const sys::arnn_examples) -> sys::arnn_status,
    {
        let given = examples.checked(self.model, self.over)?;
        let mut out = defaults(sys::arnn_training_default)?;
        check(pass(self.raw.as_ptr(), &mut out, &given))?;
        Ok(Training { loss: out.loss, weight: out.weight, correct: out.correct, norm: out.norm })
    }

    /// One step of learning: forward, loss, backward, clipping, update with this learning rate.
    pub fn step(&mut self, examples: &Examples<'_>, rate: f32) -> Result<Training> {
        self.pass(examples, |trainer, out, given| unsafe { sys::arnn_trainer_step(trainer, out, given, rate) })
    }

    /// The first half of a step: leaves the gradient in [`gradient`](Self::gradient).
    pub fn gradients(&mut self, examples: &Examples<'_>) -> Result<Training> {
        self.pass(examples, |trainer, out, given| unsafe { sys::arnn_trainer_gradients(trainer, out, given) })
    }

    /// The second half: clips and updates, and gives the norm before clipping.
    pub fn update(&mut self, rate: f32) -> Result<f64> {
        let mut norm = 0.0;
        check(unsafe { sys::arnn_trainer_update(self.raw.as_ptr(), &mut norm, rate) })?;
        Ok(norm)
    }

    /// Loss without dropout, gradient or update.
    pub fn evaluate(&mut self, examples: &Examples<'_>) -> Result<Training> {
        self.pass(examples, |trainer, out, given| unsafe { sys::arnn_trainer_evaluate(trainer, out, given) })
    }

    /// The gradient, all parameters one after the other.
    pub fn gradient(&self) -> &[f32] {
        let data = unsafe { sys::arnn_trainer_gradient(self.raw.as_ptr()) };
        unsafe { std::slice::from_raw_parts(data, self.model.parameter_floats()) }
    }

    /// The same, to change it before an update.
    pub fn gradient_mut(&mut self) -> &mut [f32] {
        let data = unsafe { sys::arnn_trainer_gradient(self.raw.as_ptr()) };
        unsafe { std::slice::from_raw_parts_mut(data, self.model.parameter_floats()) }
    }

    /// How many updates were made.
    pub fn updates(&self) -> u64 {
        unsafe { sys::arnn_trainer_updates(self.raw.as_ptr()) }
    }

    /// Saves a checkpoint, which appears whole or not at all.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path.as_ref())?;
        check(unsafe { sys::arnn_trainer_save(self.raw.as_ptr(), path.as_ptr()) })
    }

    /// Goes on from a checkpoint of the same optimiser and description.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path.as_ref())?;
        check(unsafe { sys::arnn_trainer_load(self.raw.as_ptr(), path.as_ptr()) })
    }
}

impl Drop for Trainer<'_> {
    fn drop(&mut self) {
        unsafe { sys::arnn_trainer_destroy(self.raw.as_ptr()) }
    }
}

/// Chooses a token for each row of logits (tokens, width) from softmax(logits / temperature) over the `top` largest (0: all).
/// Row j is decided by (seed, draw, j) alone.
///
/// ```
/// let mut token = [0];
/// arnn::sample(&mut token, &[0.1, 2.0, 0.3], 3, 0.0, 0, 1, 1)?;
/// assert_eq!(token, [1]);
/// # Ok::<(), arnn::Error>(())
/// ```
pub fn sample(
    tokens: &mut [i32],
    logits: &[f32],
    width: usize,
    temperature: f32,
    top: usize,
    seed: u64,
    draw: u64,
) -> Result<()> {
    let too_many = || Error::new(ErrorKind::InvalidArgument, format!("{} rows of {} overflow", tokens.len(), width));
    exactly("logits", logits.len(), tokens.len().checked_mul(width).ok_or_else(too_many)?)?;
    let (out, count) = (tokens.as_mut_ptr(), tokens.len());
    check(unsafe { sys::arnn_sample(out, logits.as_ptr(), count, width, temperature, top, seed, draw) })
}
