//! What the library offers, each used once with a result that is known.

use arnn::*;

fn model_of(desc: ModelDesc) -> Model {
    let mut model = Model::new(&desc).unwrap();
    model.init(1).unwrap();
    model
}

fn desc() -> ModelDesc {
    ModelDesc::new().inputs(3).hidden(8).outputs(2)
}

/// Numbers of both signs within 1.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + 11) % 64) as f32 / 32.0 - 1.0).collect()
}

fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[test]
fn parameters_as_one_array_and_by_name() {
    let model = model_of(desc());
    let parameters = model.parameters().unwrap();
    let last = parameters.len() - 1;
    assert_eq!((parameters[last].name.as_str(), &parameters[last].shape[..]), ("readout.bias", &[2][..]));
    assert_eq!(model.parameter_offset(last).unwrap() + 2, model.parameter_floats());
    assert_eq!(model.parameter_offset(last + 1).unwrap_err().kind(), ErrorKind::NotFound);
    let mut bias = [0.0; 2];
    model.read_into("readout.bias", &mut bias).unwrap();
    assert_eq!(bias[..], model.read("readout.bias").unwrap()[..]);
    assert_eq!(model.output_width(), 2);
}

#[test]
fn weights_are_rounded_for_steps_alone() {
    let mut model = model_of(desc());
    let (x, before) = (numbers(3), model.read("weight_ih_l0").unwrap());
    let mut found = Vec::new();
    for weight_type in [Type::F32, Type::Bf16] {
        model.set_weight_type(weight_type).unwrap();
        let mut y = [0.0; 2];
        State::new(&model, 1).unwrap().step(Input::dense(&x), Output::new().y(&mut y), None, 1).unwrap();
        found.push(y);
    }
    assert!(found[0] != found[1] && (found[0][0] - found[1][0]).abs() < 0.05, "{:?}", found);
    assert_eq!(before, model.read("weight_ih_l0").unwrap());
    assert_eq!(model.set_weight_type(Type::Other(99)).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn threads_and_pages_give_the_same_bits() {
    let model = model_of(desc().hidden(64));
    let (x, mut found) = (numbers(40 * 8 * 3), Vec::new());
    for threads in [1, 2] {
        let cache = Cache::new(&model, &CacheDesc::new().page_rows(32).threads(threads)).unwrap();
        let page = cache.page().unwrap();
        assert!(page.rows == 32 && page.bytes >= 32 * 64 * 4);
        let (mut state, mut y) = (State::with_cache(&model, cache, 8).unwrap(), vec![0.0; 40 * 8 * 2]);
        state.forward(Input::dense(&x), Output::new().y(&mut y), None, None, 40, 8).unwrap();
        found.push(y);
    }
    assert_eq!(found[0], found[1]);
}

#[test]
fn streams_are_read_set_and_reset() {
    let model = model_of(desc());
    let cache = Cache::new(&model, &CacheDesc::new().tape_type(Type::I8)).unwrap();
    let mut state = State::with_cache(&model, cache, 2).unwrap();
    let (values, mut back) = (numbers(8), [0.0; 8]);
    state.set(Value::S, 0, 1, &values).unwrap();
    state.get_into(&mut back, Value::S, 0, 1).unwrap();
    assert_eq!(values[..], back[..]);
    state.append(0, &[f32::NAN; 8], None, 1).unwrap();
    state.append(1, &values, None, 1).unwrap();
    assert!(state.lost(0).unwrap() && !state.lost(1).unwrap());
    state.reset(&[0]).unwrap();
    assert!(!state.lost(0).unwrap());
    assert_eq!((state.length(0).unwrap(), state.length(1).unwrap()), (0, 1));
    state.rows(&mut back, None, 0, 1, 0).unwrap();
    assert!(values.iter().zip(&back).all(|(value, kept)| (value - kept).abs() <= 1.0 / 254.0));
    assert_eq!(unsafe { arnn_sys::arnn_state_streams(state.as_ptr()) }, 2);
}

#[test]
fn rows_of_every_type_are_attended_to() {
    let quarters = [127i8, 0, -127, 127]; // 1, 0, -1, 1
    let as_f32: Vec<f32> = quarters.iter().map(|&q| f32::from(q) / 127.0).collect();
    let as_bf16: Vec<u16> = as_f32.iter().map(|value| (value.to_bits() >> 16) as u16).collect();
    let as_f16 = [0x3c00, 0, 0xbc00, 0x3c00];
    let spread = [1.0, 0.0, 9.0, -1.0, 1.0, 9.0];
    let all = [Rows::f32(&as_f32, 2), Rows::f16(&as_f16, 2), Rows::bf16(&as_bf16, 2), Rows::i8(&quarters, 2)];
    let found: Vec<[f32; 2]> = all
        .iter()
        .chain(&[Rows::f32(&spread, 2).stride(3)])
        .map(|rows| {
            let mut context = [0.0; 2];
            attend(&mut context, None, None, &[0.5, 0.25], &[*rows], 2, 1.0).unwrap();
            context
        })
        .collect();
    assert!(found.iter().all(|context| (context[0] - found[0][0]).abs() < 1e-6), "{:?}", found);
}

#[test]
fn a_record_has_streams_of_its_own() {
    let model = model_of(desc().cell(Cell::Lstm));
    let mut record = Record::new(&model, &RecordDesc::new().streams(1).steps(2)).unwrap();
    record.state_mut().set(Value::M, 0, 0, &numbers(8)).unwrap();
    let (mut y, mut m) = ([0.0; 4], [0.0; 8]);
    record.forward(Input::dense(&numbers(6)), Output::new().y(&mut y), None, 2, 1).unwrap();
    assert_eq!(record.state().length(0).unwrap(), 2);
    record.backward(Gradient::new().m(&mut m), OutputGradient::new().y(&[1.0; 4])).unwrap();
    assert!(m.iter().all(|gradient| *gradient != 0.0));
}

#[test]
fn labels_may_lie_stream_by_stream() {
    let (x, by_time, by_stream) = (numbers(2 * 3 * 3), [0, 1, 1, 0, 0, 1], [0, 1, 0, 1, 0, 1]);
    let mut losses = Vec::new();
    for (labels, strides) in [(by_time, (0, 0)), (by_stream, (1, 3))] {
        let mut model = model_of(desc());
        let mut trainer = Trainer::new(&mut model, &TrainerDesc::new().streams(2).steps(3)).unwrap();
        let examples = Examples::labels(Input::dense(&x), &labels, 3, 2).wanted_strides(strides.0, strides.1);
        losses.push(trainer.evaluate(&examples).unwrap().loss);
    }
    assert!(losses[0] == losses[1] && losses[0] > 0.0);
}

#[test]
fn streams_are_carried_and_checkpoints_continue() {
    let (x, labels) = (numbers(2 * 3), [0, 1]);
    let examples = Examples::labels(Input::dense(&x), &labels, 2, 1);
    let train = |model: &mut Model, file: Option<&str>| -> [f64; 2] {
        let mut trainer = Trainer::new(model, &TrainerDesc::new().streams(1).steps(2).past(8)).unwrap();
        match file {
            Some(file) => trainer.load(path(file)).unwrap(),
            None => drop(trainer.step(&examples, 0.01).unwrap()),
        }
        trainer.save(path("checkpoint.safetensors")).unwrap();
        let again = trainer.step(&examples, 0.01).unwrap().loss;
        [again, trainer.step(&examples.carry(true), 0.01).unwrap().loss]
    };
    let whole = train(&mut model_of(desc()), None);
    let halves = train(&mut Model::new(&desc()).unwrap(), Some("checkpoint.safetensors"));
    assert_eq!(whole, halves);
    let file = path("checkpoint.safetensors");
    assert!(Model::load(&file, &LoadOptions::new()).is_err());
    let options = LoadOptions::new().desc(desc()).ignore_unknown(true);
    assert_eq!(Model::load(&file, &options).unwrap().describe().unwrap().hidden, 8);
}

#[test]
fn a_still_input_is_forgotten() {
    let model = model_of(desc().wiring(Wiring::None));
    let exponents = model.lyapunov(2, Input::dense(&[0.25; 60]), 20, 5, 1).unwrap();
    assert!(exponents[1] <= exponents[0] && exponents[0] < 0.0, "{:?}", exponents);
    for count in [9, 17, usize::MAX] {
        let refused = model.lyapunov(count, Input::dense(&[0.25; 60]), 20, 5, 1).unwrap_err();
        assert!(refused.kind() == ErrorKind::Shape && refused.message().contains(&count.to_string()), "{}", refused);
    }
}

#[test]
fn kinds_have_words() {
    assert_eq!(ErrorKind::NoMemory.to_string(), "no memory");
    assert!(!ErrorKind::Unknown(99).to_string().is_empty());
}
