//! Who is connected, so that there is always room for one more: a newcomer takes the seat of whoever has waited longest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// All connections of all listeners.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Taken>,
}

#[derive(Debug)]
struct Taken {
    /// In the middle of a message or of a reply?
    is_busy: bool,
    /// Since when it is busy or not.
    since: Instant,
    needed: CancellationToken,
}

/// A connection's seat; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    connections: Arc<Connections>,
    number: u64,
    needed: CancellationToken,
}

impl Connections {
    /// No more than `most` at a time.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Connections { most, seats: Mutex::default() })
    }

    /// A seat: a free one, else that of the connection which has been idle longest, else of the one which has been busy longest.
    pub(super) fn enter(self: &Arc<Self>) -> Seat {
        let mut seats = self.seats();
        if seats.taken.len() >= self.most
            && let Some(number) = seats.longest()
            && let Some(taken) = seats.taken.remove(&number)
        {
            taken.needed.cancel();
        }
        let number = seats.next;
        seats.next += 1;
        let needed = CancellationToken::new();
        let taken = Taken { is_busy: false, since: Instant::now(), needed: needed.clone() };
        seats.taken.insert(number, taken);
        Seat { connections: self.clone(), number, needed }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn longest(&self) -> Option<u64> {
        let (number, _) =
            self.taken.iter().min_by_key(|(number, taken)| (taken.is_busy, taken.since, **number))?;
        Some(*number)
    }
}

impl Seat {
    /// Ends when a newcomer has taken it.
    pub(super) async fn is_needed(&self) {
        self.needed.cancelled().await;
    }

    /// Notes that something is going on, or that it is over.
    pub(super) fn set_busy(&self, is_busy: bool) {
        if let Some(taken) = self.connections.seats().taken.get_mut(&self.number) {
            taken.is_busy = is_busy;
            taken.since = Instant::now();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.seats().taken.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_takes_the_seat_that_was_idle_longest() {
        let connections = Connections::new(3);
        let mut seats = vec![];
        for _ in 0..3 {
            seats.push(connections.enter());
            seats[0].set_busy(true);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let needed =
            |seats: &[Seat]| -> Vec<bool> { seats.iter().map(|seat| seat.needed.is_cancelled()).collect() };
        seats.push(connections.enter());
        assert_eq!(needed(&seats), [false, true, false, false], "the first is busy, the second idle longest");
        for seat in &seats[2..] {
            seat.set_busy(true);
        }
        seats.push(connections.enter());
        assert_eq!(needed(&seats), [true, true, false, false, false], "all are busy, the first longest");
        drop(seats.pop());
        seats.push(connections.enter());
        assert_eq!(needed(&seats), [true, true, false, false, false], "there was a free one");
    }
}
