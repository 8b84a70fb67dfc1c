//! What can go wrong.

use arnn_sys as sys;
use std::ffi::{CStr, CString};
use std::fmt;

/// Which of the header's statuses an error is.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Out of its range, or too large for this machine.
    InvalidArgument,
    /// A size, count or stride that does not fit the model, a slice, or another argument.
    Shape,
    /// A combination that has no meaning, or a kernel table that this machine lacks.
    Unsupported,
    /// No parameter, row, stream, layer or tensor of this name or number.
    NotFound,
    /// The model's parameters may not change while a state rests on it.
    Busy,
    /// The cache has reached its limit.
    Full,
    /// No memory.
    NoMemory,
    /// The operating system could not open, read, write or rename a file.
    Io,
    /// Not a well-formed safetensors file, or not one of this model.
    Format,
    /// A status that this version of the binding does not know.
    Unknown(i32),
}

const KINDS: [(i32, ErrorKind); 9] = [
    (sys::ARNN_INVALID_ARGUMENT, ErrorKind::InvalidArgument),
    (sys::ARNN_SHAPE, ErrorKind::Shape),
    (sys::ARNN_UNSUPPORTED, ErrorKind::Unsupported),
    (sys::ARNN_NOT_FOUND, ErrorKind::NotFound),
    (sys::ARNN_BUSY, ErrorKind::Busy),
    (sys::ARNN_FULL, ErrorKind::Full),
    (sys::ARNN_NO_MEMORY, ErrorKind::NoMemory),
    (sys::ARNN_IO, ErrorKind::Io),
    (sys::ARNN_FORMAT, ErrorKind::Format),
];

impl From<i32> for ErrorKind {
    fn from(status: i32) -> Self {
        KINDS.iter().find(|known| known.0 == status).map_or(ErrorKind::Unknown(status), |known| known.1)
    }
}

impl From<ErrorKind> for i32 {
    fn from(kind: ErrorKind) -> i32 {
        match kind {
            ErrorKind::Unknown(status) => status,
            kind => KINDS.iter().find(|known| known.1 == kind).map_or(0, |known| known.0),
        }
    }
}

/// A few words ("no memory").
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&unsafe { CStr::from_ptr(sys::arnn_status_string((*self).into())) }.to_string_lossy())
    }
}

/// An error with its kind, and a sentence with names and numbers. After an error nothing has changed.
///
/// ```
/// let error = arnn::Model::new(&arnn::ModelDesc::default().hidden(0)).unwrap_err();
/// assert_eq!(error.kind(), arnn::ErrorKind::InvalidArgument);
/// assert!(error.message().contains("hidden"));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: String) -> Self {
        Error { kind, message }
    }

    /// Which of the header's statuses this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// What everything here that can fail returns.
pub type Result<T> = std::result::Result<T, Error>;

/// A status as a result, with the sentence of this thread's last error.
pub(crate) fn check(status: sys::arnn_status) -> Result<()> {
    if status == sys::ARNN_OK {
        return Ok(());
    }
    let message = unsafe { CStr::from_ptr(sys::arnn_last_error()) }.to_string_lossy().into_owned();
    Err(Error::new(status.into(), message))
}

/// Refuses a slice of `given` elements where exactly `expected` are needed.
pub(crate) fn exactly(what: &str, given: usize, expected: usize) -> Result<()> {
    if given == expected {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Shape, format!("{} has {} elements, expected {}", what, given, expected)))
}

/// Refuses a slice of `given` elements where the call would touch `needed`.
pub(crate) fn at_least(what: &str, given: usize, needed: Option<usize>) -> Result<()> {
    match needed {
        Some(needed) if given >= needed => Ok(()),
        Some(needed) => Err(Error::new(
            ErrorKind::Shape,
            format!("{} has {} elements, at least {} are needed", what, given, needed),
        )),
        None => Err(too_large(what)),
    }
}

pub(crate) fn too_large(what: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{} is larger than this machine can address", what))
}

/// A name for C; one with a zero byte inside names nothing.
pub(crate) fn c_string(what: &str, text: impl Into<Vec<u8>>) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("{} has a zero byte in it", what)))
}

#[cfg(unix)]
pub(crate) fn c_path(path: &std::path::Path) -> Result<CString> {
    use std::os::unix::ffi::OsStrExt;
    c_string("path", path.as_os_str().as_bytes())
}

#[cfg(not(unix))]
pub(crate) fn c_path(path: &std::path::Path) -> Result<CString> {
    match path.to_str() {
        Some(text) => c_string("path", text),
        None => Err(Error::new(ErrorKind::InvalidArgument, "path is not Unicode".to_string())),
    }
}
