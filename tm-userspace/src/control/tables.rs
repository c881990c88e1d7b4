//! The tables as the tasks share them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::{
    sync::{Image, buckets_for},
    xdp::Kernel,
};

/// The tables, shared with those who answer and those who ask.
#[derive(Clone, Debug)]
pub struct Tables {
    image: Arc<RwLock<Image>>,
    kernel: Arc<Mutex<Option<Kernel>>>,
}

impl Tables {
    /// Tables without a name in them, and nothing in the kernel.
    pub fn empty() -> Self {
        let image = Image::new(buckets_for(0), 53, 0, &[]);
        Tables { image: Arc::new(RwLock::new(image)), kernel: Arc::default() }
    }

    /// The daemon's copy, shared with the sockets. A panic elsewhere does not make the tables wrong: they are whole between two statements.
    pub fn image_lock(&self) -> Arc<RwLock<Image>> {
        self.image.clone()
    }

    /// The daemon's copy.
    pub fn image(&self) -> RwLockReadGuard<'_, Image> {
        self.image.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in the kernel, if anything is.
    pub fn kernel(&self) -> MutexGuard<'_, Option<Kernel>> {
        self.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn image_mut(&self) -> RwLockWriteGuard<'_, Image> {
        self.image.write().unwrap_or_else(PoisonError::into_inner)
    }
}
