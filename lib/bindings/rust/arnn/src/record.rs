//! Recorded runs, and gradients back over them.

use crate::desc::RecordDesc;
use crate::error::{check, exactly, Error, ErrorKind, Result};
use crate::model::Model;
use crate::run::{wanted, Array, ArrayMut, Input, Output, NOTHING};
use crate::state::{Held, Streams};
use arnn_sys as sys;
use std::marker::PhantomData;
use std::mem::size_of;
use std::ptr::{null, null_mut, NonNull};

/// A recorded run of a batch of sequences, and the memory to go back over it. It borrows the model, whose parameters stay
/// as they are meanwhile.
///
/// ```
/// use arnn::{Gradient, Input, Model, ModelDesc, Output, OutputGradient, Record, RecordDesc};
/// let mut model = Model::new(&ModelDesc::new().inputs(2).hidden(4))?;
/// model.init(1)?;
/// let mut gradient = vec![0.0; model.parameter_floats()];
/// let mut record = Record::new(&model, &RecordDesc::new().streams(1).steps(3))?;
/// record.forward(Input::dense(&[0.5; 6]), Output::new(), None, 3, 1)?;
/// record.backward(Gradient::new().parameters(&mut gradient), OutputGradient::new().h(&[1.0; 12]))?;
/// assert!(gradient.iter().any(|&g| g != 0.0));
/// # Ok::<(), arnn::Error>(())
/// ```
///
/// ```compile_fail,E0502
/// let mut model = arnn::Model::new(&arnn::ModelDesc::new()).unwrap();
/// let record = arnn::Record::new(&model, &arnn::RecordDesc::new()).unwrap();
/// model.init(1).unwrap();
/// drop(record);
/// ```
#[derive(Debug)]
pub struct Record<'m> {
    raw: NonNull<sys::arnn_record>,
    state: Held,
    model: PhantomData<&'m Model>,
    widths: crate::model::Widths,
    parameters: usize,
    ran: Option<(usize, usize)>,
}

// A record with its own state and cache, on a model that any thread may read.
unsafe impl Send for Record<'_> {}

/// Where gradients go; what is not asked for is not made.
#[derive(Debug, Default)]
pub struct Gradient<'a> {
    parameters: Option<&'a mut [f32]>,
    x: Option<ArrayMut<'a>>,
    s: Option<&'a mut [f32]>,
    m: Option<&'a mut [f32]>,
    h: Option<&'a mut [f32]>,
}

impl<'a> Gradient<'a> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of all parameters one after the other, [`Model::parameter_floats`]: added to.
    pub fn parameters(mut self, parameters: &'a mut [f32]) -> Self {
        self.parameters = Some(parameters);
        self
    }

    /// Of the input, (time, stream, inputs): written where a stream made a step.
    pub fn x(mut self, x: impl Into<ArrayMut<'a>>) -> Self {
        self.x = Some(x.into());
        self
    }

    /// Of the summaries that the run began with, (layers, count, hidden).
    pub fn s(mut self, s: &'a mut [f32]) -> Self {
        self.s = Some(s);
        self
    }

    /// Of the LSTM's memories that the run began with, the same.
    pub fn m(mut self, m: &'a mut [f32]) -> Self {
        self.m = Some(m);
        self
    }

    /// Of the states that the run began with in `Beside`, the same.
    pub fn h(mut self, h: &'a mut [f32]) -> Self {
        self.h = Some(h);
        self
    }
}

/// What the loss is owed by the outputs of the last run; what is not given is zero.
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputGradient<'a> {
    y: Option<Array<'a>>,
    h: Option<Array<'a>>,
    s: Option<Array<'a>>,
}

impl<'a> OutputGradient<'a> {
    /// All zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// By y, (time, stream, output width).
    pub fn y(mut self, y: impl Into<Array<'a>>) -> Self {
        self.y = Some(y.into());
        self
    }

    /// By h of the top layer, (time, stream, hidden).
    pub fn h(mut self, h: impl Into<Array<'a>>) -> Self {
        self.h = Some(h.into());
        self
    }

    /// By s of the top layer, (time, stream, hidden).
    pub fn s(mut self, s: impl Into<Array<'a>>) -> Self {
        self.s = Some(s.into());
        self
    }
}

impl<'m> Record<'m> {
    /// The bytes that a record takes.
    pub fn bytes(model: &Model, desc: &RecordDesc) -> Result<usize> {
        let mut bytes = 0;
        check(unsafe { sys::arnn_record_bytes(model.as_ptr(), &desc.to_raw()?, &mut bytes) })?;
        Ok(bytes)
    }

    /// A record with this room.
    pub fn new(model: &'m Model, desc: &RecordDesc) -> Result<Self> {
        let mut raw = null_mut();
        check(unsafe { sys::arnn_record_create(&mut raw, model.as_ptr(), &desc.to_raw()?) })?;
        let raw = NonNull::new(raw).expect("the library gave no record and no error");
        let state = Held::of(unsafe { sys::arnn_record_state(raw.as_ptr()) }, model.widths);
        let parameters = model.parameter_floats();
        Ok(Record { raw, state, model: PhantomData, widths: model.widths, parameters, ran: None })
    }

    /// Its streams.
    pub fn state(&self) -> &Streams {
        &self.state
    }

    /// Its streams, to set initial values, reset them, or append rows.
    pub fn state_mut(&mut self) -> &mut Streams {
        &mut self.state
    }

    /// Runs streams 0 .. count-1 on, as [`Streams::forward`] does.
    pub fn forward(
        &mut self,
        input: Input<'_>,
        mut output: Output<'_>,
        lengths: Option<&[usize]>,
        steps: usize,
        count: usize,
    ) -> Result<()> {
        lengths.map_or(Ok(()), |lengths| exactly("lengths", lengths.len(), count))?;
        let given = input.checked(&self.widths, steps, count)?;
        let wanted = output.checked(&self.widths, steps, count)?;
        let lengths = lengths.map_or(null(), |lengths| lengths.as_ptr());
        self.ran = None;
        check(unsafe { sys::arnn_record_forward(self.raw.as_ptr(), &wanted, &given, lengths, steps, count) })?;
        self.ran = Some((steps, count));
        Ok(())
    }

    /// Goes back over the last run, once.
    pub fn backward(&mut self, mut to: Gradient<'_>, from: OutputGradient<'_>) -> Result<()> {
        let no_run = || Error::new(ErrorKind::NotFound, "there is no run to go back over".to_string());
        let (steps, count) = self.ran.ok_or_else(no_run)?;
        let owed = |array: Option<Array<'_>>, what: &str, width: usize| {
            array.map_or(Ok(NOTHING), |array| array.checked(what, steps, count, width))
        };
        let from = sys::arnn_output_gradient {
            struct_size: size_of::<sys::arnn_output_gradient>(),
            y: owed(from.y, "y", self.widths.outputs)?,
            h: owed(from.h, "h", self.widths.hidden)?,
            s: owed(from.s, "s", self.widths.hidden)?,
        };
        let values = self.widths.layers * self.widths.hidden * count;
        let to = sys::arnn_gradient {
            struct_size: size_of::<sys::arnn_gradient>(),
            parameters: whole(&mut to.parameters, "parameters", self.parameters)?,
            x: wanted(&mut to.x, "x", steps, count, self.widths.inputs)?,
            s: whole(&mut to.s, "s", values)?,
            m: whole(&mut to.m, "m", values)?,
            h: whole(&mut to.h, "h", values)?,
        };
        check(unsafe { sys::arnn_record_backward(self.raw.as_ptr(), &to, &from) })
    }
}

fn whole(slice: &mut Option<&mut [f32]>, what: &str, elements: usize) -> Result<*mut f32> {
    slice.as_mut().map_or(Ok(null_mut()), |slice| {
        exactly(what, slice.len(), elements)?;
        Ok(slice.as_mut_ptr())
    })
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        unsafe { sys::arnn_record_destroy(self.raw.as_ptr()) }
    }
}
