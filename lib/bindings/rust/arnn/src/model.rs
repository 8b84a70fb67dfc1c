//! Models: what is computed, and the weights.

use crate::desc::{defaults, ModelDesc, Raw, Type};
use crate::error::{c_path, c_string, check, exactly, too_large, Error, ErrorKind, Result};
use crate::run::Input;
use arnn_sys as sys;
use std::ffi::{CStr, CString};
use std::os::raw::c_char;
use std::path::Path;
use std::ptr::{null, null_mut, NonNull};

/// Widths of a model, known to everything that rests on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Widths {
    pub inputs: usize,
    pub hidden: usize,
    pub layers: usize,
    pub outputs: usize,
    pub tokens: bool,
}

/// A parameter of a model: its name and its shape, (rows, columns) or (elements).
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// PyTorch's name, or one of the header's.
    pub name: String,
    /// One or two sizes.
    pub shape: Vec<usize>,
}

impl Parameter {
    /// How many elements it has.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// What is computed, and the weights with which it is. Any number of threads may read a model and make caches and states on
/// it; what changes parameters takes `&mut self`, and gives [`ErrorKind::Busy`](crate::ErrorKind::Busy) while a state rests
/// on the model. Caches and states keep what they need of it: drop in any order.
///
/// ```
/// use arnn::{Model, ModelDesc};
/// let mut model = Model::new(&ModelDesc::new().inputs(4).hidden(8))?;
/// model.init(1)?;
/// let weights = model.read("weight_ih_l0")?;
/// assert_eq!(weights.len(), 8 * 4);
/// model.write("weight_ih_l0", &weights)?;
/// # Ok::<(), arnn::Error>(())
/// ```
///
/// A thread cannot write while another one reads:
///
/// ```compile_fail,E0502
/// let mut model = arnn::Model::new(&arnn::ModelDesc::new()).unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(|| model.describe());
///     model.init(1).unwrap();
/// });
/// ```
#[derive(Debug)]
pub struct Model {
    pub(crate) raw: NonNull<sys::arnn_model>,
    pub(crate) widths: Widths,
}

// The header: any number of threads may read a model; references are counted atomically, and all that needs the model alone
// takes &mut here.
unsafe impl Send for Model {}
unsafe impl Sync for Model {}

/// How a file is read.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Needed for a file without a description (a PyTorch state_dict).
    pub desc: Option<ModelDesc>,
    /// Every tensor's name begins with this.
    pub prefix: Option<String>,
    /// Whether tensors that are no parameter of the model are passed over.
    pub ignore_unknown: bool,
}

impl LoadOptions {
    /// The file's own description, no prefix, unknown tensors refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// A description, for a file that has none.
    pub fn desc(mut self, desc: ModelDesc) -> Self {
        self.desc = Some(desc);
        self
    }

    /// What every tensor's name begins with.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Whether tensors that are no parameter of the model are passed over.
    pub fn ignore_unknown(mut self, ignore: bool) -> Self {
        self.ignore_unknown = ignore;
        self
    }
}

impl Model {
    fn own(raw: *mut sys::arnn_model) -> Result<Self> {
        let raw = NonNull::new(raw).expect("the library gave no model and no error");
        let none = Widths { inputs: 0, hidden: 0, layers: 0, outputs: 0, tokens: false };
        let mut model = Model { raw, widths: none };
        let desc = model.describe()?;
        let mut outputs = 0;
        check(unsafe { sys::arnn_model_output_width(model.as_ptr(), &mut outputs) })?;
        model.widths =
            Widths { inputs: desc.inputs, hidden: desc.hidden, layers: desc.layers, outputs, tokens: desc.vocab > 0 };
        Ok(model)
    }

    /// A model with all parameters zero.
    pub fn new(desc: &ModelDesc) -> Result<Self> {
        let mut raw = null_mut();
        check(unsafe { sys::arnn_model_create(&mut raw, &desc.to_raw()?) })?;
        Self::own(raw)
    }

    fn load_with(
        options: &LoadOptions,
        load: impl FnOnce(*mut *mut sys::arnn_model, *const sys::arnn_load_options) -> sys::arnn_status,
    ) -> Result<Self> {
        let desc = options.desc.map(ModelDesc::to_raw).transpose()?;
        let prefix = options.prefix.as_deref().map(|text| c_string("prefix", text)).transpose()?;
        let mut given = defaults(sys::arnn_load_options_default)?;
        given.desc = desc.as_ref().map_or(null(), |desc| desc);
        given.prefix = prefix.as_ref().map_or(null(), |text| text.as_ptr());
        given.ignore_unknown = options.ignore_unknown.into();
        let mut raw = null_mut();
        check(load(&mut raw, &given))?;
        Self::own(raw)
    }

    /// Loads a safetensors file.
    pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        let path = c_path(path.as_ref())?;
        Self::load_with(options, |out, options| unsafe { sys::arnn_model_load(out, path.as_ptr(), options) })
    }

    /// Loads the bytes of such a file.
    pub fn load_memory(data: &[u8], options: &LoadOptions) -> Result<Self> {
        Self::load_with(options, |out, options| unsafe {
            sys::arnn_model_load_memory(out, data.as_ptr().cast(), data.len(), options)
        })
    }

    /// Saves a safetensors file, which appears whole or not at all.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = c_path(path.as_ref())?;
        check(unsafe { sys::arnn_model_save(self.as_ptr(), path.as_ptr()) })
    }

    /// The bytes of such a file.
    pub fn save_memory(&self) -> Result<Vec<u8>> {
        let mut bytes = 0;
        check(unsafe { sys::arnn_model_save_memory(self.as_ptr(), null_mut(), 0, &mut bytes) })?;
        let mut data = vec![0; bytes];
        check(unsafe { sys::arnn_model_save_memory(self.as_ptr(), data.as_mut_ptr().cast(), bytes, &mut bytes) })?;
        Ok(data)
    }

    /// The description, with defaults resolved.
    pub fn describe(&self) -> Result<ModelDesc> {
        let mut desc = defaults(sys::arnn_model_desc_default)?;
        check(unsafe { sys::arnn_model_describe(self.as_ptr(), &mut desc) })?;
        Ok(ModelDesc::from_raw(&desc))
    }

    /// The kernel table of the model.
    pub fn kernels(&self) -> &'static str {
        unsafe { CStr::from_ptr(sys::arnn_model_kernels(self.as_ptr())) }.to_str().unwrap_or("")
    }

    /// The width of y.
    pub fn output_width(&self) -> usize {
        self.widths.outputs
    }

    /// All parameters, in the library's order.
    pub fn parameters(&self) -> Result<Vec<Parameter>> {
        (0..unsafe { sys::arnn_model_parameter_count(self.as_ptr()) }).map(|index| self.parameter(index)).collect()
    }

    fn parameter(&self, index: usize) -> Result<Parameter> {
        let (mut name, mut rank, mut shape) = (null::<c_char>(), 0, [0; 2]);
        check(unsafe { sys::arnn_model_parameter(self.as_ptr(), &mut name, &mut rank, shape.as_mut_ptr(), index) })?;
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
        Ok(Parameter { name, shape: shape[..rank].to_vec() })
    }

    /// How many floats all parameters are, one after the other, as gradients are given.
    pub fn parameter_floats(&self) -> usize {
        unsafe { sys::arnn_model_parameter_floats(self.as_ptr()) }
    }

    /// Where parameter `index` begins among them.
    pub fn parameter_offset(&self, index: usize) -> Result<usize> {
        let mut offset = 0;
        check(unsafe { sys::arnn_model_parameter_offset(self.as_ptr(), &mut offset, index) })?;
        Ok(offset)
    }

    fn elements(&self, name: &CString) -> usize {
        let all = self.parameters().unwrap_or_default();
        let found = all.iter().find(|parameter| parameter.name.as_bytes() == name.as_bytes());
        found.map_or(0, Parameter::elements)
    }

    /// A parameter's values, row-major.
    pub fn read(&self, name: &str) -> Result<Vec<f32>> {
        let name = c_string("name", name)?;
        let mut values = vec![0.0; self.elements(&name)];
        check(unsafe { sys::arnn_model_read(self.as_ptr(), values.as_mut_ptr(), name.as_ptr(), values.len()) })?;
        Ok(values)
    }

    /// The same, into a slice of as many elements.
    pub fn read_into(&self, name: &str, values: &mut [f32]) -> Result<()> {
        let name = c_string("name", name)?;
        check(unsafe { sys::arnn_model_read(self.as_ptr(), values.as_mut_ptr(), name.as_ptr(), values.len()) })
    }

    /// Writes a parameter.
    pub fn write(&mut self, name: &str, values: &[f32]) -> Result<()> {
        let name = c_string("name", name)?;
        check(unsafe { sys::arnn_model_write(self.as_ptr(), name.as_ptr(), values.as_ptr(), values.len()) })
    }

    /// The type to which weights are rounded for steps.
    pub fn set_weight_type(&mut self, weight_type: Type) -> Result<()> {
        check(unsafe { sys::arnn_model_set_weight_type(self.as_ptr(), weight_type.to_c()) })
    }

    /// Initialises every parameter from a seed.
    pub fn init(&mut self, seed: u64) -> Result<()> {
        check(unsafe { sys::arnn_model_init(self.as_ptr(), seed) })
    }

    /// The readout that fits `targets` (rows, outputs) best from frozen `states` (rows, width of the readout's input).
    pub fn fit_readout(&mut self, states: &[f32], targets: &[f32], rows: usize, penalty: f64) -> Result<()> {
        let all = self.parameters()?;
        if let Some(weight) = all.iter().find(|parameter| parameter.name == "readout.weight") {
            let size = |width: usize| rows.checked_mul(width).ok_or_else(|| too_large("states"));
            exactly("targets", targets.len(), size(weight.shape[0])?)?;
            exactly("states", states.len(), size(weight.shape[1])?)?;
        }
        check(unsafe { sys::arnn_model_fit_readout(self.as_ptr(), states.as_ptr(), targets.as_ptr(), rows, penalty) })
    }

    /// The spectral radius of each gate's block of a layer's recurrent weights.
    pub fn spectral_radius(&self, layer: usize) -> Result<Vec<f64>> {
        let name = c_string("name", format!("weight_hh_l{}", layer))?;
        let block = self.widths.hidden * self.widths.hidden;
        let mut radii = vec![0.0; self.elements(&name) / block.max(1)];
        check(unsafe { sys::arnn_model_spectral_radius(self.as_ptr(), radii.as_mut_ptr(), layer) })?;
        Ok(radii)
    }

    /// The largest `count` Lyapunov exponents along the trajectory that `input` drives, after its first `skip` steps.
    pub fn lyapunov(&self, count: usize, input: Input<'_>, steps: usize, skip: usize, seed: u64) -> Result<Vec<f64>> {
        let given = input.checked(&self.widths, steps, 1)?;
        let carried = self.widths.layers.saturating_mul(2 * self.widths.hidden); // at most, in the LSTM
        if count > carried {
            let message = format!("{} exponents are asked for, the model carries at most {} numbers", count, carried);
            return Err(Error::new(ErrorKind::Shape, message));
        }
        let mut exponents = vec![0.0; count];
        check(unsafe {
            sys::arnn_model_lyapunov(self.as_ptr(), exponents.as_mut_ptr(), count, &given, steps, skip, seed)
        })?;
        Ok(exponents)
    }

    /// The handle, for functions of `arnn_sys`; it stays the model's.
    pub fn as_ptr(&self) -> *mut sys::arnn_model {
        self.raw.as_ptr()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        unsafe { sys::arnn_model_destroy(self.as_ptr()) }
    }
}
