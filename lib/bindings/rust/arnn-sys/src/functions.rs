//! Every function of the header, in its order.

use std::ffi::c_void;
use std::os::raw::c_char;

use super::*;

extern "C" {
    pub fn arnn_status_string(status: arnn_status) -> *const c_char;
    pub fn arnn_last_error() -> *const c_char;
    pub fn arnn_model_desc_default(desc: *mut arnn_model_desc, struct_size: usize) -> arnn_status;
    pub fn arnn_model_create(out: *mut *mut arnn_model, desc: *const arnn_model_desc) -> arnn_status;
    pub fn arnn_model_destroy(model: *mut arnn_model);
    pub fn arnn_model_describe(model: *const arnn_model, desc: *mut arnn_model_desc) -> arnn_status;
    pub fn arnn_model_kernels(model: *const arnn_model) -> *const c_char;
    pub fn arnn_model_output_width(model: *const arnn_model, width: *mut usize) -> arnn_status;
    pub fn arnn_model_parameter_count(model: *const arnn_model) -> usize;
    pub fn arnn_model_parameter(
        model: *const arnn_model,
        name: *mut *const c_char,
        rank: *mut usize,
        shape: *mut usize,
        index: usize,
    ) -> arnn_status;
    pub fn arnn_model_read(
        model: *const arnn_model,
        values: *mut f32,
        name: *const c_char,
        count: usize,
    ) -> arnn_status;
    pub fn arnn_model_write(
        model: *mut arnn_model,
        name: *const c_char,
        values: *const f32,
        count: usize,
    ) -> arnn_status;
    pub fn arnn_model_set_weight_type(model: *mut arnn_model, element_type: i32) -> arnn_status;
    pub fn arnn_model_init(model: *mut arnn_model, seed: u64) -> arnn_status;
    pub fn arnn_load_options_default(options: *mut arnn_load_options, struct_size: usize) -> arnn_status;
    pub fn arnn_model_load(
        out: *mut *mut arnn_model,
        path: *const c_char,
        options: *const arnn_load_options,
    ) -> arnn_status;
    pub fn arnn_model_load_memory(
        out: *mut *mut arnn_model,
        data: *const c_void,
        bytes: usize,
        options: *const arnn_load_options,
    ) -> arnn_status;
    pub fn arnn_model_save(model: *const arnn_model, path: *const c_char) -> arnn_status;
    pub fn arnn_model_save_memory(
        model: *const arnn_model,
        data: *mut c_void,
        capacity: usize,
        bytes: *mut usize,
    ) -> arnn_status;
    pub fn arnn_cache_desc_default(desc: *mut arnn_cache_desc, struct_size: usize) -> arnn_status;
    pub fn arnn_cache_create(
        out: *mut *mut arnn_cache,
        model: *mut arnn_model,
        desc: *const arnn_cache_desc,
    ) -> arnn_status;
    pub fn arnn_cache_destroy(cache: *mut arnn_cache);
    pub fn arnn_cache_reserve(cache: *mut arnn_cache, streams: usize, rows: usize) -> arnn_status;
    pub fn arnn_cache_bytes(cache: *const arnn_cache, allocated: *mut usize, used: *mut usize) -> arnn_status;
    pub fn arnn_cache_page(cache: *const arnn_cache, rows: *mut usize, bytes: *mut usize) -> arnn_status;
    pub fn arnn_state_create(
        out: *mut *mut arnn_state,
        model: *mut arnn_model,
        cache: *mut arnn_cache,
        streams: usize,
    ) -> arnn_status;
    pub fn arnn_state_destroy(state: *mut arnn_state);
    pub fn arnn_state_streams(state: *const arnn_state) -> usize;
    pub fn arnn_state_length(state: *const arnn_state, length: *mut usize, stream: usize) -> arnn_status;
    pub fn arnn_state_reset(state: *mut arnn_state, streams: *const usize, count: usize) -> arnn_status;
    pub fn arnn_state_get(
        state: *const arnn_state,
        values: *mut f32,
        which: i32,
        layer: usize,
        stream: usize,
    ) -> arnn_status;
    pub fn arnn_state_set(
        state: *mut arnn_state,
        which: i32,
        layer: usize,
        stream: usize,
        values: *const f32,
    ) -> arnn_status;
    pub fn arnn_state_append(
        state: *mut arnn_state,
        stream: usize,
        h: *const f32,
        m: *const f32,
        rows: usize,
    ) -> arnn_status;
    pub fn arnn_state_rows(
        state: *const arnn_state,
        h: *mut f32,
        m: *mut f32,
        layer: usize,
        stream: usize,
        first: usize,
        rows: usize,
    ) -> arnn_status;
    pub fn arnn_state_lost(state: *const arnn_state, lost: *mut i32, stream: usize) -> arnn_status;
    pub fn arnn_state_weights(
        state: *const arnn_state,
        weights: *mut f32,
        zero: *mut f32,
        logsumexp: *mut f32,
        layer: usize,
        stream: usize,
        count: usize,
    ) -> arnn_status;
    pub fn arnn_input_default(input: *mut arnn_input, struct_size: usize) -> arnn_status;
    pub fn arnn_output_default(out: *mut arnn_output, struct_size: usize) -> arnn_status;
    pub fn arnn_step(
        state: *mut arnn_state,
        out: *const arnn_output,
        input: *const arnn_input,
        streams: *const usize,
        count: usize,
    ) -> arnn_status;
    pub fn arnn_forward(
        state: *mut arnn_state,
        out: *const arnn_output,
        input: *const arnn_input,
        lengths: *const usize,
        streams: *const usize,
        steps: usize,
        count: usize,
    ) -> arnn_status;
    pub fn arnn_attend(
        contexts: *mut f32,
        logsumexp: *mut f32,
        weights: *mut f32,
        queries: *const f32,
        rows: *const arnn_rows,
        batch: usize,
        width: usize,
        weight_stride: usize,
        element_type: i32,
        scale: f32,
    ) -> arnn_status;
    pub fn arnn_attend_merge(
        contexts: *mut f32,
        logsumexp: *mut f32,
        other_contexts: *const f32,
        other_logsumexp: *const f32,
        batch: usize,
        width: usize,
    ) -> arnn_status;
    pub fn arnn_record_desc_default(desc: *mut arnn_record_desc, struct_size: usize) -> arnn_status;
    pub fn arnn_record_bytes(model: *const arnn_model, desc: *const arnn_record_desc, bytes: *mut usize)
        -> arnn_status;
    pub fn arnn_record_create(
        out: *mut *mut arnn_record,
        model: *mut arnn_model,
        desc: *const arnn_record_desc,
    ) -> arnn_status;
    pub fn arnn_record_destroy(record: *mut arnn_record);
    pub fn arnn_record_state(record: *mut arnn_record) -> *mut arnn_state;
    pub fn arnn_record_forward(
        record: *mut arnn_record,
        out: *const arnn_output,
        input: *const arnn_input,
        lengths: *const usize,
        steps: usize,
        count: usize,
    ) -> arnn_status;
    pub fn arnn_output_gradient_default(from: *mut arnn_output_gradient, struct_size: usize) -> arnn_status;
    pub fn arnn_gradient_default(to: *mut arnn_gradient, struct_size: usize) -> arnn_status;
    pub fn arnn_model_parameter_floats(model: *const arnn_model) -> usize;
    pub fn arnn_model_parameter_offset(model: *const arnn_model, offset: *mut usize, index: usize) -> arnn_status;
    pub fn arnn_record_backward(
        record: *mut arnn_record,
        to: *const arnn_gradient,
        from: *const arnn_output_gradient,
    ) -> arnn_status;
    pub fn arnn_trainer_desc_default(desc: *mut arnn_trainer_desc, struct_size: usize) -> arnn_status;
    pub fn arnn_examples_default(examples: *mut arnn_examples, struct_size: usize) -> arnn_status;
    pub fn arnn_training_default(training: *mut arnn_training, struct_size: usize) -> arnn_status;
    pub fn arnn_trainer_create(
        out: *mut *mut arnn_trainer,
        model: *mut arnn_model,
        desc: *const arnn_trainer_desc,
    ) -> arnn_status;
    pub fn arnn_trainer_destroy(trainer: *mut arnn_trainer);
    pub fn arnn_trainer_step(
        trainer: *mut arnn_trainer,
        training: *mut arnn_training,
        examples: *const arnn_examples,
        rate: f32,
    ) -> arnn_status;
    pub fn arnn_trainer_gradients(
        trainer: *mut arnn_trainer,
        training: *mut arnn_training,
        examples: *const arnn_examples,
    ) -> arnn_status;
    pub fn arnn_trainer_update(trainer: *mut arnn_trainer, norm: *mut f64, rate: f32) -> arnn_status;
    pub fn arnn_trainer_gradient(trainer: *mut arnn_trainer) -> *mut f32;
    pub fn arnn_trainer_updates(trainer: *const arnn_trainer) -> u64;
    pub fn arnn_trainer_evaluate(
        trainer: *const arnn_trainer,
        training: *mut arnn_training,
        examples: *const arnn_examples,
    ) -> arnn_status;
    pub fn arnn_trainer_save(trainer: *const arnn_trainer, path: *const c_char) -> arnn_status;
    pub fn arnn_trainer_load(trainer: *mut arnn_trainer, path: *const c_char) -> arnn_status;
    pub fn arnn_sample(
        tokens: *mut i32,
        logits: *const f32,
        count: usize,
        width: usize,
        temperature: f32,
        top: usize,
        seed: u64,
        draw: u64,
    ) -> arnn_status;
    pub fn arnn_model_fit_readout(
        model: *mut arnn_model,
        states: *const f32,
        targets: *const f32,
        rows: usize,
        penalty: f64,
    ) -> arnn_status;
    pub fn arnn_model_spectral_radius(model: *const arnn_model, radii: *mut f64, layer: usize) -> arnn_status;
    pub fn arnn_model_lyapunov(
        model: *const arnn_model,
        exponents: *mut f64,
        count: usize,
        input: *const arnn_input,
        steps: usize,
        skip: usize,
        seed: u64,
    ) -> arnn_status;
    pub fn arnn_version() -> i32;
    pub fn arnn_build_info() -> *const c_char;
    pub fn arnn_constant(name: *const c_char, value: *mut i32) -> arnn_status;
}
