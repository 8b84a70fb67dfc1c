//! States: streams and their pasts, with the cache that they rest on.

use crate::cache::Cache;
use crate::desc::{CacheDesc, Raw, Value};
use crate::error::{check, exactly, too_large, Error, ErrorKind, Result};
use crate::model::{Model, Widths};
use crate::run::{Input, Output};
use arnn_sys as sys;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut, Index, IndexMut};
use std::ptr::{null, null_mut, NonNull};

/// The attention weights of a stream's last step in one layer.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// By row of the stream's past, 0 where unread.
    pub rows: Vec<f32>,
    /// The zero row's.
    pub zero: f32,
    /// Of the scores.
    pub logsumexp: f32,
}

/// A batch of streams, each with its own length, summaries and tape: what a [`State`] owns, and a record lends. It exists
/// only behind a reference. Being unsized it cannot be swapped with another, which would part it from its cache.
///
/// ```compile_fail,E0277
/// fn swap(a: &mut arnn::State, b: &mut arnn::State) {
///     let (a, b): (&mut arnn::Streams, &mut arnn::Streams) = (a, b);
///     std::mem::swap(a, b);
/// }
/// ```
#[derive(Debug)]
pub struct Streams<Tail: ?Sized = [()]> {
    raw: NonNull<sys::arnn_state>,
    widths: Widths,
    tail: PhantomData<*mut ()>, // belongs to one thread
    #[allow(dead_code)]
    unsized_end: Tail,
}

pub(crate) type Held = Streams<[(); 0]>;

impl Held {
    /// Of a handle that lives as long as this does.
    pub(crate) fn of(raw: *mut sys::arnn_state, widths: Widths) -> Held {
        let raw = NonNull::new(raw).expect("the library gave no state and no error");
        Streams { raw, widths, tail: PhantomData, unsized_end: [] }
    }

    fn new(model: &Model, cache: Option<&Cache>, streams: usize) -> Result<Held> {
        let mut raw = null_mut();
        let cache = cache.map_or(null_mut(), |cache| cache.raw.as_ptr());
        check(unsafe { sys::arnn_state_create(&mut raw, model.as_ptr(), cache, streams) })?;
        Ok(Held::of(raw, model.widths))
    }
}

impl Streams {
    /// How many streams there are.
    pub fn streams(&self) -> usize {
        unsafe { sys::arnn_state_streams(self.raw.as_ptr()) }
    }

    /// A stream's own time: steps made and rows appended since it was empty.
    pub fn length(&self, stream: usize) -> Result<usize> {
        let mut length = 0;
        check(unsafe { sys::arnn_state_length(self.raw.as_ptr(), &mut length, stream) })?;
        Ok(length)
    }

    /// Empties these streams.
    pub fn reset(&mut self, streams: &[usize]) -> Result<()> {
        check(unsafe { sys::arnn_state_reset(self.raw.as_ptr(), streams.as_ptr(), streams.len()) })
    }

    /// Empties all streams.
    pub fn reset_all(&mut self) -> Result<()> {
        check(unsafe { sys::arnn_state_reset(self.raw.as_ptr(), null(), 0) })
    }

    /// What a layer of a stream carries from step to step.
    pub fn get(&self, which: Value, layer: usize, stream: usize) -> Result<Vec<f32>> {
        let mut values = vec![0.0; self.widths.hidden];
        self.get_into(&mut values, which, layer, stream)?;
        Ok(values)
    }

    /// The same, into a slice of the hidden width.
    pub fn get_into(&self, values: &mut [f32], which: Value, layer: usize, stream: usize) -> Result<()> {
        exactly("values", values.len(), self.widths.hidden)?;
        check(unsafe { sys::arnn_state_get(self.raw.as_ptr(), values.as_mut_ptr(), which.to_c(), layer, stream) })
    }

    /// Sets it; on an empty stream these are initial values.
    pub fn set(&mut self, which: Value, layer: usize, stream: usize, values: &[f32]) -> Result<()> {
        exactly("values", values.len(), self.widths.hidden)?;
        check(unsafe { sys::arnn_state_set(self.raw.as_ptr(), which.to_c(), layer, stream, values.as_ptr()) })
    }

    /// Adds rows to a stream's tape without computing them: h (layers, rows, hidden), and for the LSTM in `before` m as well.
    pub fn append(&mut self, stream: usize, h: &[f32], m: Option<&[f32]>, rows: usize) -> Result<()> {
        let all = self.widths.layers.checked_mul(self.widths.hidden).and_then(|one| one.checked_mul(rows));
        let all = all.ok_or_else(|| too_large("rows"))?;
        exactly("h", h.len(), all)?;
        m.map_or(Ok(()), |m| exactly("m", m.len(), all))?;
        let m = m.map_or(null(), |m| m.as_ptr());
        check(unsafe { sys::arnn_state_append(self.raw.as_ptr(), stream, h.as_ptr(), m, rows) })
    }

    /// Copies rows of one layer's tape from `first` on: as many as h (rows, hidden) has room for.
    pub fn rows(&self, h: &mut [f32], m: Option<&mut [f32]>, layer: usize, stream: usize, first: usize) -> Result<()> {
        let rows = h.len() / self.widths.hidden;
        exactly("h", h.len(), rows * self.widths.hidden)?;
        if let Some(m) = m.as_ref() {
            exactly("m", m.len(), h.len())?;
        }
        let m = m.map_or(null_mut(), |m| m.as_mut_ptr());
        check(unsafe { sys::arnn_state_rows(self.raw.as_ptr(), h.as_mut_ptr(), m, layer, stream, first, rows) })
    }

    /// Whether a stream's 8-bit tape was given a NaN, which it cannot hold.
    pub fn lost(&self, stream: usize) -> Result<bool> {
        let mut lost = 0;
        check(unsafe { sys::arnn_state_lost(self.raw.as_ptr(), &mut lost, stream) })?;
        Ok(lost != 0)
    }

    /// The attention weights of a stream's last step in one layer.
    pub fn weights(&self, layer: usize, stream: usize) -> Result<Weights> {
        let mut found = Weights { rows: vec![0.0; self.length(stream)?], zero: 0.0, logsumexp: 0.0 };
        check(unsafe {
            let (rows, count) = (found.rows.as_mut_ptr(), found.rows.len());
            sys::arnn_state_weights(
                self.raw.as_ptr(),
                rows,
                &mut found.zero,
                &mut found.logsumexp,
                layer,
                stream,
                count,
            )
        })?;
        Ok(found)
    }

    /// One step of `count` streams: `streams[j]`, or with `None` stream j, reads element j of the input and fills element j
    /// of the outputs.
    pub fn step(
        &mut self,
        input: Input<'_>,
        mut output: Output<'_>,
        streams: Option<&[usize]>,
        count: usize,
    ) -> Result<()> {
        self.chosen(streams, count)?;
        let given = input.checked(&self.widths, 1, count)?;
        let wanted = output.checked(&self.widths, 1, count)?;
        let streams = streams.map_or(null(), |streams| streams.as_ptr());
        check(unsafe { sys::arnn_step(self.raw.as_ptr(), &wanted, &given, streams, count) })
    }

    /// `steps` steps at once, or with `lengths` as many as each stream's; the same numbers as single steps give.
    pub fn forward(
        &mut self,
        input: Input<'_>,
        mut output: Output<'_>,
        lengths: Option<&[usize]>,
        streams: Option<&[usize]>,
        steps: usize,
        count: usize,
    ) -> Result<()> {
        self.chosen(streams, count)?;
        lengths.map_or(Ok(()), |lengths| exactly("lengths", lengths.len(), count))?;
        let given = input.checked(&self.widths, steps, count)?;
        let wanted = output.checked(&self.widths, steps, count)?;
        let lengths = lengths.map_or(null(), |lengths| lengths.as_ptr());
        let streams = streams.map_or(null(), |streams| streams.as_ptr());
        check(unsafe { sys::arnn_forward(self.raw.as_ptr(), &wanted, &given, lengths, streams, steps, count) })
    }

    fn chosen(&self, streams: Option<&[usize]>, count: usize) -> Result<()> {
        match streams {
            Some(streams) => exactly("streams", streams.len(), count),
            None if count > self.streams() => {
                let message = format!("{} streams are asked for, the state has {}", count, self.streams());
                Err(Error::new(ErrorKind::NotFound, message))
            }
            None => Ok(()),
        }
    }

    /// The handle, for functions of `arnn_sys`; it stays the owner's.
    pub fn as_ptr(&self) -> *mut sys::arnn_state {
        self.raw.as_ptr()
    }
}

/// One batch of streams with the cache that they rest on: both go from thread to thread together.
///
/// ```
/// use arnn::{Input, Model, ModelDesc, Output, State};
/// let mut model = Model::new(&ModelDesc::new().vocab(256).hidden(32))?;
/// model.init(1)?;
/// let mut state = State::new(&model, 1)?;
/// let mut summary = [0.0; 32];
/// for byte in "attention".bytes() {
///     state.step(Input::tokens(&[byte.into()]), Output::new().s(&mut summary), None, 1)?;
/// }
/// assert_eq!(state.length(0)?, 9);
/// assert!((state.weights(0, 0)?.rows.iter().sum::<f32>() - 1.0).abs() < 1e-5);
/// # Ok::<(), arnn::Error>(())
/// ```
///
/// Two threads cannot share it, and nothing of it can be used after it is gone:
///
/// ```compile_fail,E0277
/// fn shared<T: Sync>() {}
/// shared::<arnn::State>();
/// ```
///
/// ```compile_fail,E0382
/// let model = arnn::Model::new(&arnn::ModelDesc::new()).unwrap();
/// let mut state = arnn::State::new(&model, 1).unwrap();
/// drop(state);
/// state.reset_all().unwrap();
/// ```
///
/// A cache that was given away cannot be used by another thread:
///
/// ```compile_fail,E0382
/// let model = arnn::Model::new(&arnn::ModelDesc::new()).unwrap();
/// let mut cache = arnn::Cache::new(&model, &arnn::CacheDesc::new()).unwrap();
/// let state = arnn::State::with_cache(&model, cache, 1).unwrap();
/// std::thread::spawn(move || cache.reserve(1, 1));
/// ```
#[derive(Debug)]
pub struct State {
    held: Held,
    cache: Option<Cache>,
}

// It owns its cache, which nothing else rests on.
unsafe impl Send for State {}

impl State {
    /// Empty streams on a cache of their own, with the defaults.
    pub fn new(model: &Model, streams: usize) -> Result<Self> {
        Self::with_cache(model, Cache::new(model, &CacheDesc::new())?, streams)
    }

    /// Empty streams on this cache.
    pub fn with_cache(model: &Model, cache: Cache, streams: usize) -> Result<Self> {
        Ok(State { held: Held::new(model, Some(&cache), streams)?, cache: Some(cache) })
    }

    /// Empty streams of a model with wiring `None`, which needs no cache.
    pub fn without_cache(model: &Model, streams: usize) -> Result<Self> {
        Ok(State { held: Held::new(model, None, streams)?, cache: None })
    }

    /// The cache, if there is one.
    pub fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// Makes room in the cache, as [`Cache::reserve`].
    pub fn reserve(&mut self, streams: usize, rows: usize) -> Result<()> {
        self.cache.as_mut().map_or(Ok(()), |cache| cache.reserve(streams, rows))
    }

    /// Ends the streams and gives the cache back.
    pub fn into_cache(mut self) -> Option<Cache> {
        self.cache.take()
    }
}

impl Deref for State {
    type Target = Streams;
    fn deref(&self) -> &Streams {
        &self.held
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut Streams {
        &mut self.held
    }
}

impl Drop for State {
    fn drop(&mut self) {
        unsafe { sys::arnn_state_destroy(self.held.raw.as_ptr()) }
    }
}

/// Several batches of streams that share one cache, and its limit: they go from thread to thread together.
///
/// ```
/// use arnn::{Cache, CacheDesc, Model, ModelDesc, States};
/// let model = Model::new(&ModelDesc::new())?;
/// let mut states = States::new(Cache::new(&model, &CacheDesc::new())?);
/// states.push(&model, 3)?;
/// states.push(&model, 1)?;
/// states[1].reset_all()?;
/// assert_eq!((states.len(), states[0].streams()), (2, 3));
/// # Ok::<(), arnn::Error>(())
/// ```
#[derive(Debug)]
pub struct States {
    held: Vec<Held>,
    cache: Cache,
}

// It owns the cache and all that rests on it.
unsafe impl Send for States {}

impl States {
    /// None yet.
    pub fn new(cache: Cache) -> Self {
        States { held: Vec::new(), cache }
    }

    /// One more batch of empty streams, and its index.
    pub fn push(&mut self, model: &Model, streams: usize) -> Result<usize> {
        self.held.push(Held::new(model, Some(&self.cache), streams)?);
        Ok(self.held.len() - 1)
    }

    /// Ends the last batch; whether there was one.
    pub fn pop(&mut self) -> bool {
        let last = self.held.pop();
        last.map_or(false, |held| {
            unsafe { sys::arnn_state_destroy(held.raw.as_ptr()) };
            true
        })
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Makes room in the cache, as [`Cache::reserve`].
    pub fn reserve(&mut self, streams: usize, rows: usize) -> Result<()> {
        self.cache.reserve(streams, rows)
    }
}

impl Index<usize> for States {
    type Output = Streams;
    fn index(&self, index: usize) -> &Streams {
        &self.held[index]
    }
}

impl IndexMut<usize> for States {
    fn index_mut(&mut self, index: usize) -> &mut Streams {
        &mut self.held[index]
    }
}

impl Drop for States {
    fn drop(&mut self) {
        while self.pop() {}
    }
}
