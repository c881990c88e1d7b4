//! Who is connected, so that there is always room for one more: a newcomer takes the seat of whoever has waited longest.
//!
//! There are so many seats in all, and so many for each client: an IPv4 address, or an IPv6 /64, which is what one host can have as it likes.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{desired::Tcp, prefix::network};

/// How much sooner idle connections are closed once over half of the seats are taken ([RFC 7766, section 6.2.3]).
///
/// [RFC 7766, section 6.2.3]: https://www.rfc-editor.org/rfc/rfc7766#section-6.2.3
const CROWDED: u32 = 4;

/// All connections of all listeners.
#[derive(Debug)]
pub(super) struct Connections {
    seats: Mutex<Seats>,
}

#[derive(Debug)]
struct Seats {
    bounds: Tcp,
    next: u64,
    taken: HashMap<u64, Taken>,
    /// Everybody, in the order in which they would have to go.
    all: BTreeSet<Rank>,
    /// The same of each client.
    clients: HashMap<IpAddr, BTreeSet<Rank>>,
}

#[derive(Debug)]
struct Taken {
    rank: Rank,
    client: IpAddr,
    needed: CancellationToken,
}

/// Idle ones go before busy ones, and among these who has been so for longest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rank {
    /// In the middle of a message or of a reply?
    is_busy: bool,
    /// Since when it is busy or not.
    since: Instant,
    number: u64,
}

/// A connection's seat; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    connections: Arc<Connections>,
    number: u64,
    needed: CancellationToken,
}

impl Connections {
    /// No more at a time than `bounds` say.
    pub(super) fn new(bounds: Tcp) -> Arc<Self> {
        let seats =
            Seats { bounds, next: 0, taken: HashMap::new(), all: BTreeSet::new(), clients: HashMap::new() };
        Arc::new(Connections { seats: Mutex::new(seats) })
    }

    /// Other bounds from here on; where they are closer, whoever has waited longest has to go, of all and of each client.
    pub(super) fn set_bounds(&self, bounds: Tcp) {
        let mut seats = self.seats();
        seats.bounds = bounds;
        let clients: Vec<IpAddr> = seats.clients.keys().copied().collect();
        clients.into_iter().for_each(|client| seats.make_room_of(client, bounds.connections_per_client));
        seats.make_room(bounds.connections);
    }

    /// A seat for `client`: a free one, else that of the connection which has been idle longest, else of the one which has been busy longest;
    /// of the client's own where these are as many as it may have.
    pub(super) fn enter(self: &Arc<Self>, client: IpAddr) -> Seat {
        let client = host(client);
        let mut seats = self.seats();
        let Tcp { connections, connections_per_client, .. } = seats.bounds;
        seats.make_room_of(client, connections_per_client - 1);
        seats.make_room(connections - 1);
        let number = seats.next;
        seats.next += 1;
        let needed = CancellationToken::new();
        let rank = Rank { is_busy: false, since: Instant::now(), number };
        seats.insert(Taken { rank, client, needed: needed.clone() });
        Seat { connections: self.clone(), number, needed }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    /// Sends away whoever is over `most`.
    fn make_room(&mut self, most: usize) {
        while self.taken.len() > most
            && let Some(first) = self.all.first().map(|rank| rank.number)
        {
            self.dismiss(first);
        }
    }

    /// Sends away whoever of a client's is over `most`.
    fn make_room_of(&mut self, client: IpAddr, most: usize) {
        while let Some(own) = self.clients.get(&client).filter(|own| own.len() > most)
            && let Some(first) = own.first().map(|rank| rank.number)
        {
            self.dismiss(first);
        }
    }

    fn dismiss(&mut self, number: u64) {
        if let Some(taken) = self.remove(number) {
            taken.needed.cancel();
        }
    }

    fn insert(&mut self, taken: Taken) {
        self.all.insert(taken.rank);
        self.clients.entry(taken.client).or_default().insert(taken.rank);
        self.taken.insert(taken.rank.number, taken);
    }

    fn remove(&mut self, number: u64) -> Option<Taken> {
        let taken = self.taken.remove(&number)?;
        self.all.remove(&taken.rank);
        if let Some(own) = self.clients.get_mut(&taken.client) {
            own.remove(&taken.rank);
            if own.is_empty() {
                self.clients.remove(&taken.client);
            }
        }
        Some(taken)
    }
}

impl Seat {
    /// Ends when a newcomer has taken it.
    pub(super) async fn is_needed(&self) {
        self.needed.cancelled().await;
    }

    /// Notes that something is going on (anew), or that it is over.
    pub(super) fn set_busy(&self, is_busy: bool) {
        let mut seats = self.connections.seats();
        let Some(mut taken) = seats.remove(self.number) else { return };
        if is_busy || taken.rank.is_busy {
            taken.rank = Rank { is_busy, since: Instant::now(), ..taken.rank };
        }
        seats.insert(taken);
    }

    /// How long its connection may be idle as things are.
    pub(super) fn idle_timeout(&self) -> Duration {
        let seats = self.connections.seats();
        let crowded = 2 * seats.taken.len() > seats.bounds.connections;
        seats.bounds.idle_timeout / if crowded { CROWDED } else { 1 }
    }

    /// How long a message may take to come in, and a reply to be taken.
    pub(super) fn message_timeout(&self) -> Duration {
        self.connections.seats().bounds.message_timeout
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.connections.seats().remove(self.number);
    }
}

/// Whose address it is.
fn host(client: IpAddr) -> IpAddr {
    network(client, if client.is_ipv4() { 32 } else { 64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(connections: usize, connections_per_client: usize) -> Tcp {
        Tcp { connections, connections_per_client, ..Tcp::default() }
    }

    /// Which of them had to go.
    fn needed(seats: &[Seat]) -> Vec<usize> {
        (0..seats.len()).filter(|at| seats[*at].needed.is_cancelled()).collect()
    }

    fn at(client: &str) -> IpAddr {
        client.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_takes_the_seat_that_was_idle_longest() {
        let connections = Connections::new(bounds(3, 3));
        let mut seats = vec![];
        for _ in 0..3 {
            seats.push(connections.enter(at("192.0.2.1")));
            seats[0].set_busy(true);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        seats.push(connections.enter(at("192.0.2.1")));
        assert_eq!(needed(&seats), [1], "the first is busy, the second idle longest");
        for seat in &seats[2..] {
            seat.set_busy(true);
        }
        seats.push(connections.enter(at("192.0.2.1")));
        assert_eq!(needed(&seats), [0, 1], "all are busy, the first longest");
        drop(seats.pop());
        seats.push(connections.enter(at("192.0.2.1")));
        assert_eq!(needed(&seats), [0, 1], "there was a free one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_takes_its_own_seats_once_it_has_as_many_as_it_may_have() {
        let connections = Connections::new(bounds(100, 2));
        let clients = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::f:1", "192.0.2.1"];
        let mut seats: Vec<Seat> = clients.map(|client| connections.enter(at(client))).into();
        assert_eq!(needed(&seats), [0], "three of 192.0.2.1");
        seats.push(connections.enter(at("2001:db8:0:1::1")));
        assert_eq!(needed(&seats), [0], "another /64");
        seats.push(connections.enter(at("2001:db8:0:0:ffff::")));
        assert_eq!(needed(&seats), [0, 3], "three of 2001:db8::/64");
        drop(seats.split_off(5));
        seats.push(connections.enter(at("192.0.2.1")));
        assert_eq!(needed(&seats), [0, 3], "it has left one");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_idle_is_so_since_it_came_or_last_was_busy() {
        let connections = Connections::new(bounds(3, 3));
        let second = Duration::from_secs(1);
        let mut seats = vec![];
        for _ in 0..3 {
            seats.push(connections.enter(at("192.0.2.1")));
            tokio::time::advance(second).await;
        }
        seats[0].set_busy(true);
        for seat in seats.iter().rev() {
            tokio::time::advance(second).await;
            seat.set_busy(false);
        }
        for expected in [&[1][..], &[1, 2], &[0, 1, 2]] {
            seats.push(connections.enter(at("192.0.2.1")));
            assert_eq!(needed(&seats), expected);
            tokio::time::advance(second).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn closer_bounds_hold_at_once() {
        let connections = Connections::new(bounds(100, 100));
        let seats: Vec<Seat> = (0..5).map(|_| connections.enter(at("192.0.2.1"))).collect();
        connections.set_bounds(bounds(3, 3));
        assert_eq!(needed(&seats), [0, 1]);
        let others: Vec<Seat> = (0..2).map(|_| connections.enter(at("192.0.2.2"))).collect();
        assert_eq!((needed(&seats), needed(&others)), (vec![0, 1, 2, 3], vec![]));
        connections.set_bounds(bounds(3, 1));
        assert_eq!((needed(&seats), needed(&others)), (vec![0, 1, 2, 3], vec![0]), "one of each client");
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_are_closed_sooner_once_over_half_of_the_seats_are_taken() {
        let connections = Connections::new(Tcp { idle_timeout: Duration::from_secs(20), ..bounds(4, 4) });
        let mut seats = vec![];
        let timeouts = [20, 20, 5, 5, 5].map(|_| {
            seats.push(connections.enter(at("192.0.2.1")));
            seats[0].idle_timeout().as_secs()
        });
        assert_eq!(timeouts, [20, 20, 5, 5, 5]);
    }
}
