//! The memory of a table, shared with the kernel: the daemon's `unsafe`.
#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _},
    ptr::{self, NonNull},
    sync::atomic::{AtomicU64, Ordering},
};

use anyhow::{Context as _, bail};
use aya::{Ebpf, maps::Map};
use tm_common::{
    cookie::Cookies,
    limit::Allowed,
    name::{LONG, SHORT},
    place::Line,
    tables::{Addresses, Answer, Bucket, Entry, LARGE, MEDIUM, Placed, SMALL},
};

/// Values whose octets are all initialised and make whole words.
///
/// # Safety
///
/// The type has no padding, and its size and alignment are multiples of eight.
pub(super) unsafe trait Whole {}

macro_rules! whole {
    ($($type:ty),+) => { $(
        const _: () = assert!(size_of::<$type>() % 8 == 0 && align_of::<$type>() <= 8);
        // SAFETY: `repr(C)` with sizes asserted beside the definitions to be the sum of the fields'.
        unsafe impl Whole for $type {}
    )+ };
}
whole!(u64, Addresses, Bucket, Entry<SHORT>, Entry<LONG>, Answer<SMALL>, Answer<MEDIUM>, Answer<LARGE>);
whole!(Line, Placed, Cookies, Allowed);

/// The memory of one array map, shared with the kernel.
#[derive(Debug)]
pub(super) struct Region {
    words: NonNull<AtomicU64>,
    /// Words of an element.
    stride: usize,
    elements: u32,
}

// SAFETY: the memory is only reached through atomics, and stays mapped until drop.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// Maps an array of so many elements of so many octets.
    pub(super) fn map(bpf: &Ebpf, name: &str, elements: u32, octets: usize) -> anyhow::Result<Self> {
        let Some(Map::Array(map)) = bpf.map(name) else { bail!("the object has no array `{name}`") };
        let length = elements as usize * octets;
        let fd = map.fd().as_fd().as_raw_fd();
        // SAFETY: a new mapping at an address of the kernel's choice; the descriptor is open.
        let place = unsafe {
            libc::mmap(ptr::null_mut(), length, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, fd, 0)
        };
        let words = NonNull::new(place.cast()).filter(|_| place != libc::MAP_FAILED);
        let words = words
            .ok_or_else(io::Error::last_os_error)
            .with_context(|| format!("cannot map the table `{name}`"))?;
        Ok(Region { words, stride: octets / 8, elements })
    }

    fn word(&self, index: u32, word: usize) -> Option<&AtomicU64> {
        if index >= self.elements || word >= self.stride {
            return None;
        }
        // SAFETY: inside the mapping.
        let place = unsafe { self.words.add(index as usize * self.stride + word) };
        // SAFETY: the mapping outlives `self`. The kernel's programs and we both reach it, both by whole words.
        Some(unsafe { place.as_ref() })
    }

    /// Writes the words that differ, each in one piece. Says whether any did.
    pub(super) fn store<T: Whole>(&self, index: u32, item: &T) -> bool {
        // SAFETY: `Whole` says that the octets of T are initialised and make whole, aligned words.
        let words =
            unsafe { std::slice::from_raw_parts(ptr::from_ref(item).cast::<u64>(), size_of::<T>() / 8) };
        let mut differed = false;
        for (i, value) in words.iter().enumerate() {
            if let Some(word) = self.word(index, i)
                && word.load(Ordering::Relaxed) != *value
            {
                word.store(*value, Ordering::Release);
                differed = true;
            }
        }
        differed
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length; no reference outlives `self`.
        let result =
            unsafe { libc::munmap(self.words.as_ptr().cast(), self.elements as usize * self.stride * 8) };
        debug_assert_eq!(result, 0);
    }
}
