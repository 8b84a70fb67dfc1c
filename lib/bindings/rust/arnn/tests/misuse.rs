//! What a program may get wrong: an error with a sentence, and nothing has changed.

use arnn::*;

fn model() -> Model {
    let mut model = Model::new(&ModelDesc::new().inputs(3).hidden(8).layers(2).outputs(2)).unwrap();
    model.init(1).unwrap();
    model
}

fn tokens() -> Model {
    Model::new(&ModelDesc::new().vocab(10).hidden(8)).unwrap()
}

fn kind<T>(result: Result<T>) -> ErrorKind {
    let error = result.err().expect("an error");
    assert!(!error.message().is_empty());
    assert_eq!(error.to_string(), error.message());
    error.kind()
}

#[test]
fn handles_go_between_threads_as_the_header_allows() {
    fn send<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    shared::<Model>();
    shared::<Error>();
    send::<Cache>();
    send::<State>();
    send::<States>();
    send::<Record>();
    send::<Trainer>();
}

#[test]
fn slices_are_checked_before_the_call() {
    let model = model();
    let mut state = State::new(&model, 2).unwrap();
    let short = state.step(Input::dense(&[0.0; 5]), Output::new(), None, 2).unwrap_err();
    assert_eq!(short.message(), "x has 5 elements, at least 6 are needed");
    let x = [0.5; 6];
    let mut small = [0.0; 3];
    assert_eq!(kind(state.step(Input::dense(&x), Output::new().y(&mut small), None, 2)), ErrorKind::Shape);
    assert_eq!(kind(state.step(Input::dense(&x), Output::new().h(&mut small), None, 2)), ErrorKind::Shape);
    assert_eq!(kind(state.step(Input::dense(&x), Output::new().map(&mut small, 0, 2), None, 2)), ErrorKind::Shape);
    assert_eq!(kind(state.step(Input::dense(&x), Output::new(), Some(&[0]), 2)), ErrorKind::Shape);
    assert_eq!(kind(state.step(Input::dense(&x).strides(0, 4), Output::new(), None, 2)), ErrorKind::Shape);
    let huge = Input::dense(&x).strides(usize::MAX, 3);
    assert_eq!(kind(state.forward(huge, Output::new(), None, None, 3, 2)), ErrorKind::InvalidArgument);
    let lengths = state.forward(Input::dense(&x), Output::new(), Some(&[1]), None, 1, 2);
    assert_eq!(kind(lengths), ErrorKind::Shape);
    assert_eq!(kind(state.set(Value::S, 0, 0, &[0.0; 7])), ErrorKind::Shape);
    assert_eq!(kind(state.append(0, &[0.0; 8], None, 1)), ErrorKind::Shape);
    assert_eq!(kind(state.rows(&mut [0.0; 9], None, 0, 0, 0)), ErrorKind::Shape);
    assert_eq!((state.length(0).unwrap(), state.length(1).unwrap()), (0, 0));
}

#[test]
fn statuses_become_kinds() {
    let mut plain = Model::new(&ModelDesc::new().wiring(Wiring::None).hidden(8).inputs(3)).unwrap();
    assert_eq!(kind(Model::new(&ModelDesc::new().cell(Cell::Other(99)))), ErrorKind::InvalidArgument);
    assert_eq!(kind(Model::new(&ModelDesc::new().sinks(3))), ErrorKind::Unsupported);
    assert_eq!(kind(plain.read("weight_ih_l7")), ErrorKind::NotFound);
    assert_eq!(kind(plain.read("a\0b")), ErrorKind::InvalidArgument);
    assert_eq!(kind(plain.write("bias_ih_l0", &[0.0; 3])), ErrorKind::Shape);
    assert_eq!(kind(plain.fit_readout(&[], &[], 0, 0.0)), ErrorKind::Unsupported);
    assert_eq!(kind(Model::load("/nowhere/at/all", &LoadOptions::new())), ErrorKind::Io);
    assert_eq!(kind(Model::load_memory(b"not a model", &LoadOptions::new())), ErrorKind::Format);
    let state = State::without_cache(&plain, 1).unwrap();
    assert!(state.cache().is_none());
    assert_eq!(kind(state.weights(0, 0)), ErrorKind::Unsupported);
    assert_eq!(kind(state.get(Value::M, 0, 0)), ErrorKind::Unsupported);
    assert_eq!(kind(plain.init(1)), ErrorKind::Busy);
    drop(state);
    plain.init(1).unwrap();
    assert_eq!(kind(State::without_cache(&model(), 1)), ErrorKind::InvalidArgument);
    assert_eq!(kind(constant("ARNN_NO_SUCH")), ErrorKind::NotFound);
}

#[test]
fn a_full_cache_is_an_error_and_the_state_lives_on() {
    let model = model();
    let desc = CacheDesc::new().page_rows(16).streams(1).rows(16).max_bytes(0);
    let mut state = State::with_cache(&model, Cache::new(&model, &desc).unwrap(), 1).unwrap();
    let full = state.forward(Input::dense(&[0.1; 60]), Output::new(), None, None, 20, 1);
    assert_eq!(kind(full), ErrorKind::Full);
    assert_eq!(state.length(0).unwrap(), 0);
    state.forward(Input::dense(&[0.1; 48]), Output::new(), None, None, 16, 1).unwrap();
    let cache = state.into_cache().unwrap();
    assert_eq!(cache.bytes().unwrap().used, 0);
}

#[test]
fn inputs_of_the_other_kind_are_refused() {
    let (model, tokens) = (model(), tokens());
    let (mut dense, mut ids) = (State::new(&model, 1).unwrap(), State::new(&tokens, 1).unwrap());
    assert_eq!(kind(dense.step(Input::tokens(&[1]), Output::new(), None, 1)), ErrorKind::InvalidArgument);
    assert_eq!(kind(ids.step(Input::dense(&[1.0; 256]), Output::new(), None, 1)), ErrorKind::InvalidArgument);
    let beyond = ids.step(Input::tokens(&[10]), Output::new(), None, 1).unwrap_err();
    assert!(beyond.message().contains("10"), "{}", beyond);
    assert_eq!(kind(ids.step(Input::tokens(&[1, 2]), Output::new(), None, 2)), ErrorKind::NotFound);
}

#[test]
fn handles_may_be_dropped_in_any_order_and_moved() {
    let model = model();
    let mut states = States::new(Cache::new(&model, &CacheDesc::new()).unwrap());
    states.push(&model, 1).unwrap();
    states.push(&model, 2).unwrap();
    drop(model);
    let states = std::thread::spawn(move || {
        let mut y = [0.0; 4];
        states[1].step(Input::dense(&[0.5; 6]), Output::new().y(&mut y), None, 2).unwrap();
        assert_eq!(y[..2], y[2..]);
        states
    });
    let mut states = states.join().unwrap();
    assert!(states.pop());
    assert_eq!((states.len(), states[0].length(0).unwrap()), (1, 0));
}

#[test]
fn strides_reach_the_right_places() {
    let model = model();
    let (mut one, mut two) = (State::new(&model, 2).unwrap(), State::new(&model, 2).unwrap());
    let by_stream: Vec<f32> = (0..30).map(|i| i as f32 / 30.0).collect(); // (stream, time, d)
    let mut by_time = vec![0.0; 30];
    for (i, &value) in by_stream.iter().enumerate() {
        let (stream, time, element) = (i / 15, i % 15 / 3, i % 3);
        by_time[(time * 2 + stream) * 3 + element] = value;
    }
    let (mut y_stream, mut y_time) = (vec![0.0; 20], vec![0.0; 20]);
    let out = Output::new().y(ArrayMut::strided(&mut y_stream, 2, 10));
    one.forward(Input::dense(&by_stream).strides(3, 15), out, None, None, 5, 2).unwrap();
    two.forward(Input::dense(&by_time), Output::new().y(&mut y_time), None, None, 5, 2).unwrap();
    for i in 0..20 {
        assert_eq!(y_stream[i], y_time[(i % 10 / 2 * 2 + i / 10) * 2 + i % 2]);
    }
}

#[test]
fn training_and_gradients_are_checked() {
    let mut model = model();
    {
        let mut record = Record::new(&model, &RecordDesc::new().streams(1).steps(2)).unwrap();
        assert_eq!(kind(record.backward(Gradient::new(), OutputGradient::new())), ErrorKind::NotFound);
        record.forward(Input::dense(&[0.5; 6]), Output::new(), None, 2, 1).unwrap();
        let mut short = [0.0; 5];
        assert_eq!(
            kind(record.backward(Gradient::new().parameters(&mut short), OutputGradient::new())),
            ErrorKind::Shape
        );
        assert_eq!(kind(record.backward(Gradient::new().x(&mut short), OutputGradient::new())), ErrorKind::Shape);
        assert_eq!(kind(record.backward(Gradient::new(), OutputGradient::new().y(&short[..3]))), ErrorKind::Shape);
        let (mut x, mut s) = ([0.0; 6], [0.0; 16]);
        record.backward(Gradient::new().x(&mut x).s(&mut s), OutputGradient::new().y(&[1.0; 4])).unwrap();
        assert!(x.iter().all(|&g| g != 0.0));
        assert_eq!(kind(record.backward(Gradient::new(), OutputGradient::new())), ErrorKind::NotFound);
        assert_eq!(kind(record.forward(Input::dense(&[0.5; 9]), Output::new(), None, 3, 1)), ErrorKind::Shape);
    }
    let mut trainer = Trainer::new(&mut model, &TrainerDesc::new().streams(1).steps(2)).unwrap();
    let x = [0.5; 6];
    assert_eq!(kind(trainer.step(&Examples::labels(Input::dense(&x), &[1], 2, 1), 0.1)), ErrorKind::Shape);
    assert_eq!(kind(trainer.step(&Examples::labels(Input::dense(&x), &[1, 2], 2, 1), 0.1)), ErrorKind::InvalidArgument);
    assert_eq!(kind(trainer.update(0.1)), ErrorKind::Unsupported);
    let good = Examples::labels(Input::dense(&x), &[1, 0], 2, 1);
    trainer.gradients(&good).unwrap();
    trainer.gradient_mut()[0] = 1.0;
    assert_eq!((trainer.gradient()[0], trainer.gradient().len()), (1.0, trainer.model().parameter_floats()));
    assert!(trainer.update(0.1).unwrap() >= 1.0);
    assert_eq!(trainer.updates(), 1);
    let state = State::new(trainer.model(), 1).unwrap();
    assert_eq!(kind(trainer.step(&good, 0.1)), ErrorKind::Busy);
    drop(state);
    trainer.step(&good, 0.1).unwrap();
}

#[test]
fn attention_alone_is_checked_and_merges() {
    let (rows, width) = ([0.5, -0.25, 1.0, 0.0, 0.125, 0.75], 2);
    let query = [1.0, -2.0];
    let (mut whole, mut all) = ([0.0; 2], [0.0]);
    let mut weights = [0.0; 3];
    let three = [Rows::f32(&rows, 3)];
    attend(&mut whole, Some(&mut all), Some(&mut weights), &query, &three, width, 1.0).unwrap();
    assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    let (mut first, mut one) = ([0.0; 2], [0.0]);
    let (mut second, mut two) = ([0.0; 2], [0.0]);
    attend(&mut first, Some(&mut one), None, &query, &[Rows::f32(&rows[..2], 1)], width, 1.0).unwrap();
    attend(&mut second, Some(&mut two), None, &query, &[Rows::f32(&rows[2..], 2)], width, 1.0).unwrap();
    attend_merge(&mut first, &mut one, &second, &two, width).unwrap();
    assert!((first[0] - whole[0]).abs() < 1e-6 && (first[1] - whole[1]).abs() < 1e-6 && (one[0] - all[0]).abs() < 1e-6);
    let four = attend(&mut first, None, None, &query, &[Rows::f32(&rows, 4)], width, 1.0);
    assert_eq!(kind(four), ErrorKind::Shape);
    let mixed = [Rows::f32(&rows, 1), Rows::i8(&[1, 2], 1)];
    assert_eq!(kind(attend(&mut [0.0; 4], None, None, &[0.0; 4], &mixed, 2, 1.0)), ErrorKind::InvalidArgument);
    assert_eq!(kind(attend_merge(&mut first, &mut one, &second[..1], &two, width)), ErrorKind::Shape);
}

#[test]
fn models_go_through_memory() {
    let one = model();
    let bytes = one.save_memory().unwrap();
    let two = Model::load_memory(&bytes, &LoadOptions::new()).unwrap();
    assert_eq!(one.describe().unwrap(), two.describe().unwrap());
    for parameter in one.parameters().unwrap() {
        let values = one.read(&parameter.name).unwrap();
        assert_eq!(values.len(), parameter.elements());
        assert_eq!(values, two.read(&parameter.name).unwrap());
    }
    let other = LoadOptions::new().desc(ModelDesc::new().hidden(9));
    assert!(Model::load_memory(&bytes, &other).is_err());
    assert_eq!(kind(Model::load_memory(&bytes, &LoadOptions::new().prefix("a."))), ErrorKind::NotFound);
    assert!(version() >= 100 && build_info().contains(one.kernels()));
    let radii = one.spectral_radius(1).unwrap();
    assert!(radii.len() == 1 && (radii[0] - 1.0).abs() < 1e-3, "{:?}", radii);
}
