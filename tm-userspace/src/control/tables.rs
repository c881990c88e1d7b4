//! The tables as the tasks share them.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicU64, Ordering},
};

use tm_common::verdict::{REASONS, Reason};

use crate::{
    desired::EndpointKey,
    sync::{Image, buckets_for},
    xdp::{Counters, Kernel},
};

/// Answers given for an endpoint.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The numbers of its counters, once it was in an answer.
    pub counters: Vec<u32>,
    /// By the sockets, and by programs before the present one.
    pub elsewhere: u64,
    /// By the present program.
    pub in_kernel: u64,
}

/// What was counted up to a moment.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Which load of the programs is the present one.
    pub tables: Option<String>,
    /// By endpoint, in the order in which they were asked for.
    pub answers: Vec<Answers>,
    /// By reason: all packets, and those among them that the present program counted.
    pub packets: Vec<(Reason, u64, u64)>,
}

/// The tables, shared with those who answer and those who ask.
#[derive(Clone, Debug)]
pub struct Tables {
    image: Arc<RwLock<Image>>,
    /// Whoever locks both locks `image` first.
    kernel: Arc<Mutex<Option<Kernel>>>,
    /// Packets by reason that programs before the present one counted. Changed only with `kernel` locked.
    packets_before: Arc<[AtomicU64; REASONS]>,
}

impl Tables {
    /// Tables without a name in them, and nothing in the kernel.
    pub fn empty() -> Self {
        let image = Image::new(buckets_for(0), 0);
        let packets_before = Arc::new([const { AtomicU64::new(0) }; REASONS]);
        Tables { image: Arc::new(RwLock::new(image)), kernel: Arc::default(), packets_before }
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

    /// What was counted for each of these endpoints, and by reason. Nobody waits long for it, however many there are.
    pub fn counted(&self, endpoints: &[EndpointKey]) -> Reading {
        /// Look-ups between which a writer gets its turn.
        const BATCH: usize = 256;
        loop {
            let (id, counters, before) = {
                let kernel = self.kernel();
                let before: [u64; REASONS] =
                    std::array::from_fn(|reason| self.packets_before[reason].load(Ordering::Relaxed));
                let (id, counters) = loaded(kernel.as_ref());
                (id, counters, before)
            };
            let mut answers = Vec::with_capacity(endpoints.len());
            for batch in endpoints.chunks(BATCH) {
                let image = self.image();
                answers.extend(batch.iter().map(|endpoint| {
                    let of = image.counter(endpoint).unwrap_or_default();
                    Answers { counters: of.numbers, elsewhere: of.elsewhere, in_kernel: 0 }
                }));
            }
            let used = self.image().sizes().counters;
            let counts = counters.map(|counters| counters.read(used)).unwrap_or_default();
            for answers in &mut answers {
                answers.in_kernel = counts.answered(&answers.counters);
            }
            let now = counts.reasons();
            let of = |reason: &Reason| {
                let (before, now) = (before[*reason as usize], now[*reason as usize]);
                (*reason, before + now, now)
            };
            let packets = Reason::ALL.iter().map(of).collect();
            // Other tables, other numbers.
            if loaded(self.kernel().as_ref()).0 == id {
                return Reading { tables: id, answers, packets };
            }
        }
    }

    pub(super) fn image_mut(&self) -> RwLockWriteGuard<'_, Image> {
        self.image.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to what earlier programs counted; the guard is asked for so that nobody reads half of it.
    pub(super) fn add_packets(&self, _locked: &MutexGuard<'_, Option<Kernel>>, packets: [u64; REASONS]) {
        for (before, count) in self.packets_before.iter().zip(packets) {
            before.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// Which load it is, and what it counts with.
fn loaded(kernel: Option<&Kernel>) -> (Option<String>, Option<Arc<Counters>>) {
    kernel.map(|kernel| (kernel.id().to_owned(), kernel.counters())).unzip()
}
