//! Caches: where past states are kept.

use crate::desc::CacheDesc;
use crate::error::{check, Result};
use crate::model::Model;
use arnn_sys as sys;
use std::ptr::{null_mut, NonNull};

/// Where past states are kept. It goes from thread to thread, and is given to the [`State`](crate::State) or the
/// [`States`](crate::States) that use it.
///
/// ```
/// let model = arnn::Model::new(&arnn::ModelDesc::new().hidden(16))?;
/// let mut cache = arnn::Cache::new(&model, &arnn::CacheDesc::new().page_rows(16))?;
/// cache.reserve(2, 100)?;
/// assert!(cache.bytes()?.allocated > 0);
/// # Ok::<(), arnn::Error>(())
/// ```
#[derive(Debug)]
pub struct Cache {
    pub(crate) raw: NonNull<sys::arnn_cache>,
}

// A cache and its states belong to one thread at a time: here one owner holds them all.
unsafe impl Send for Cache {}

/// Bytes of all pages, and of those that streams hold.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheBytes {
    /// Of all pages.
    pub allocated: usize,
    /// Of those that streams hold.
    pub used: usize,
}

/// Rows in a page, and its bytes.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows in it.
    pub rows: usize,
    /// Bytes of it.
    pub bytes: usize,
}

impl Cache {
    /// A cache for states of this model.
    pub fn new(model: &Model, desc: &CacheDesc) -> Result<Self> {
        let mut raw = null_mut();
        check(unsafe { sys::arnn_cache_create(&mut raw, model.as_ptr(), &desc.to_raw()?) })?;
        Ok(Cache { raw: NonNull::new(raw).expect("the library gave no cache and no error") })
    }

    /// Makes room, in all, for `streams` streams of `rows` rows each.
    pub fn reserve(&mut self, streams: usize, rows: usize) -> Result<()> {
        check(unsafe { sys::arnn_cache_reserve(self.raw.as_ptr(), streams, rows) })
    }

    /// Bytes of its pages.
    pub fn bytes(&self) -> Result<CacheBytes> {
        let (mut allocated, mut used) = (0, 0);
        check(unsafe { sys::arnn_cache_bytes(self.raw.as_ptr(), &mut allocated, &mut used) })?;
        Ok(CacheBytes { allocated, used })
    }

    /// The size of a page.
    pub fn page(&self) -> Result<Page> {
        let (mut rows, mut bytes) = (0, 0);
        check(unsafe { sys::arnn_cache_page(self.raw.as_ptr(), &mut rows, &mut bytes) })?;
        Ok(Page { rows, bytes })
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        unsafe { sys::arnn_cache_destroy(self.raw.as_ptr()) }
    }
}
