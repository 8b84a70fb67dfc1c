//! The scenario that every language runs; they must print the same text. Usage: scenario FILE, where FILE is written.
//! The README of this folder says step by step what is done, and what goes into the digest.

use arnn::*;
use std::path::Path;

const STREAMS: usize = 3;
const LAYERS: usize = 2;
const INPUTS: usize = 5;
const HIDDEN: usize = 24;
const OUTPUTS: usize = 3;
const PAST: usize = 16;
const STREAMED: usize = 200;
const STREAMED_ON: usize = 20;
const SEQUENCE: usize = 57;
const LEARNED: usize = 20;
const UPDATES: usize = 5;
const SET_STREAMED: u32 = 100; // of numbers; parameters have those from 0 on
const SET_SEQUENCE: u32 = 101;
const SET_LEARNED: u32 = 102;
const SET_WANTED: u32 = 103;

/// The digest of all results, and the sum of the outputs since the last one was printed.
struct Tally {
    digest: u64,
    sum: f64,
}

impl Tally {
    /// FNV-1a, 64 bits.
    fn eat(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(1099511628211);
        }
    }

    fn eat_floats(&mut self, values: &[f32]) {
        values.iter().for_each(|value| self.eat(&value.to_ne_bytes()));
    }

    fn add(&mut self, values: &[f32]) {
        values.iter().for_each(|&value| self.sum += f64::from(value));
    }

    fn say(&mut self, what: &str) {
        println!("{} {:.6}", what, self.sum);
        self.sum = 0.0;
    }
}

/// Number i of a set: a multiple of 1/4096 from -1/4 to 1/4.
fn number(set: u32, i: usize) -> f32 {
    let mut u = (set * 4099).wrapping_add(i as u32 + 1).wrapping_mul(2654435769);
    u ^= u >> 15;
    u = u.wrapping_mul(739982445);
    u ^= u >> 12;
    ((u >> 21) as i32 - 1024) as f32 / 4096.0
}

/// The input of one stream at one time, elements from -1 to 1.
fn input(set: u32, time: usize, stream: usize) -> impl Iterator<Item = f32> {
    (0..INPUTS).map(move |i| 4.0 * number(set, (time * STREAMS + stream) * INPUTS + i))
}

/// The inputs of all streams, time-major.
fn inputs(set: u32, steps: usize) -> Vec<f32> {
    (0..steps * STREAMS).flat_map(|i| input(set, i / STREAMS, i % STREAMS)).collect()
}

fn make_model() -> Result<Model> {
    let desc = ModelDesc::new()
        .cell(Cell::Gru)
        .wiring(Wiring::Beside)
        .score(Score::Dot)
        .start_row(StartRow::Zero)
        .recency(true)
        .source(Source::Hs)
        .scale(0.25)
        .inputs(INPUTS)
        .hidden(HIDDEN)
        .layers(LAYERS)
        .align(16)
        .window(24)
        .sinks(2)
        .outputs(OUTPUTS);
    let mut model = Model::new(&desc)?;
    for (p, parameter) in model.parameters()?.iter().enumerate() {
        let values: Vec<f32> = (0..parameter.elements()).map(|i| number(p as u32, i)).collect();
        model.write(&parameter.name, &values)?;
    }
    Ok(model)
}

fn make_state(model: &Model) -> Result<State> {
    let cache = Cache::new(model, &CacheDesc::new().page_rows(16).streams(STREAMS).rows(64))?;
    State::with_cache(model, cache, STREAMS)
}

/// Stream b rests at every (b + 2)-nd time.
fn stream(tally: &mut Tally, state: &mut State, first: usize, steps: usize) -> Result<()> {
    for time in first..first + steps {
        let awake: Vec<usize> = (0..STREAMS).filter(|b| (time + b) % (b + 2) != 0).collect();
        let x: Vec<f32> = awake.iter().flat_map(|&b| input(SET_STREAMED, time, b)).collect();
        let mut y = vec![0.0; awake.len() * OUTPUTS];
        state.step(Input::dense(&x), Output::new().y(&mut y), Some(&awake), awake.len())?;
        tally.eat_floats(&y);
        tally.add(&y);
    }
    Ok(())
}

/// The weights of the last step of every stream, top layer.
fn eat_weights(tally: &mut Tally, state: &State) -> Result<()> {
    for b in 0..STREAMS {
        let weights = state.weights(LAYERS - 1, b)?;
        tally.eat_floats(&weights.rows);
        tally.eat_floats(&[weights.zero, weights.logsumexp]);
    }
    Ok(())
}

/// What a stream is continued from: the newest rows of its tape, and the values that it carries.
struct Past {
    rows: Vec<f32>,
    s: Vec<f32>,
    h: Vec<f32>,
}

fn take(tally: &mut Tally, state: &State, b: usize) -> Result<Past> {
    let mut past = Past { rows: vec![0.0; LAYERS * PAST * HIDDEN], s: Vec::new(), h: Vec::new() };
    for (layer, rows) in past.rows.chunks_exact_mut(PAST * HIDDEN).enumerate() {
        state.rows(rows, None, layer, b, state.length(b)? - PAST)?;
        past.s.extend(state.get(Value::S, layer, b)?);
        past.h.extend(state.get(Value::H, layer, b)?);
    }
    tally.eat_floats(&past.rows);
    tally.eat_floats(&past.s);
    tally.eat_floats(&past.h);
    Ok(past)
}

fn give(past: &Past, state: &mut State, b: usize) -> Result<()> {
    state.append(b, &past.rows, None, PAST)?;
    for layer in 0..LAYERS {
        let range = layer * HIDDEN..(layer + 1) * HIDDEN;
        state.set(Value::S, layer, b, &past.s[range.clone()])?;
        state.set(Value::H, layer, b, &past.h[range])?;
    }
    Ok(())
}

fn run_sequence(tally: &mut Tally, state: &mut State) -> Result<()> {
    let x = inputs(SET_SEQUENCE, SEQUENCE);
    let (mut y, mut s) = (vec![0.0; SEQUENCE * STREAMS * OUTPUTS], vec![0.0; SEQUENCE * STREAMS * HIDDEN]);
    let (mut map, mut map_zero) = (vec![0.0; SEQUENCE * STREAMS * SEQUENCE], vec![0.0; SEQUENCE * STREAMS]);
    let output = Output::new().y(&mut y).s(&mut s).map(&mut map, LAYERS - 1, SEQUENCE).map_zero(&mut map_zero);
    state.forward(Input::dense(&x), output, Some(&[40, 0, SEQUENCE]), None, SEQUENCE, STREAMS)?;
    for values in [&y, &s, &map, &map_zero] {
        tally.eat_floats(values);
    }
    tally.add(&y);
    Ok(())
}

fn evaluate(tally: &mut Tally, trainer: &mut Trainer, examples: &Examples, what: &str) -> Result<()> {
    let loss = trainer.evaluate(examples)?.loss;
    tally.eat(&loss.to_ne_bytes());
    println!("{} {:.6}", what, loss);
    Ok(())
}

fn train(tally: &mut Tally, model: &mut Model) -> Result<()> {
    let desc = TrainerDesc::new()
        .loss(Loss::SquaredError)
        .optimiser(Optimiser::Adamw)
        .weight_decay(0.015625)
        .clip(0.5)
        .dropout(0.25)
        .readout_dropout(0.25)
        .seed(7)
        .streams(STREAMS)
        .steps(LEARNED);
    let mut trainer = Trainer::new(model, &desc)?;
    let x = inputs(SET_LEARNED, LEARNED);
    let values: Vec<f32> = (0..LEARNED * STREAMS * OUTPUTS).map(|i| 4.0 * number(SET_WANTED, i)).collect();
    let examples = Examples::values(Input::dense(&x), &values, LEARNED, STREAMS)
        .lengths(&[LEARNED, 7, 0])
        .weights(&[1.0, 0.5, 2.0]);
    evaluate(tally, &mut trainer, &examples, "loss before")?;
    for _ in 0..UPDATES {
        let training = trainer.step(&examples, 0.015625)?;
        tally.eat(&training.loss.to_ne_bytes());
        tally.eat(&training.norm.to_ne_bytes());
    }
    evaluate(tally, &mut trainer, &examples, "loss after")
}

fn scenario(path: &Path) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut tally = Tally { digest: 14695981039346656037, sum: 0.0 };
    let mut model = make_model()?;
    let mut state = make_state(&model)?;
    stream(&mut tally, &mut state, 0, STREAMED)?;
    tally.say("streamed");
    eat_weights(&mut tally, &state)?;
    let pasts = (0..STREAMS).map(|b| take(&mut tally, &state, b)).collect::<Result<Vec<Past>>>()?;
    state.reset_all()?;
    run_sequence(&mut tally, &mut state)?;
    tally.say("sequence");
    drop(state);

    train(&mut tally, &mut model)?;
    model.save(path)?;
    drop(model);
    tally.eat(&std::fs::read(path)?);
    let model = Model::load(path, &LoadOptions::new())?;
    let mut state = make_state(&model)?;
    for (b, past) in pasts.iter().enumerate() {
        give(past, &mut state, b)?;
    }
    stream(&mut tally, &mut state, STREAMED, STREAMED_ON)?;
    tally.say("streamed on");
    println!("digest {:016x}", tally.digest);
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: scenario FILE")?;
    scenario(Path::new(&path))
}
