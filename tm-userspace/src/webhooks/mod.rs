//! Tells receivers over HTTP of what happens: each event once it was taken, in the order in which they happened.
//!
//! Each receiver has a queue of its own, and what is first in it is tried until it was taken (a status of 2xx), later and later, for a day at most; then it is given up, and said so. Queues outlive
//! the daemon (`state`). A receiver may be told twice, where the daemon died between the answer and the next save: the id is the same then.
//!
//! Messages are as [Standard Webhooks] has them: `webhook-id`, `webhook-timestamp` and `webhook-signature`, which is HMAC-SHA256.
//!
//! [Standard Webhooks]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

mod send;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, broadcast::error::RecvError, watch};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{
    api::{Event, Events},
    desired::{Desired, Webhook},
    metrics::{Delivered, Meters},
    secret,
    time::serde_rfc3339,
};

use send::Sender;

/// Events that wait for one receiver; the oldest gives way to one more.
const WAITING_AT_MOST: usize = 1_000;
/// How long an event is tried for.
const TRIED_FOR: Duration = Duration::from_secs(86_400);
/// How long after a failure it is tried again: twice as long each time, from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// An event on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What it is known by; the same at each attempt.
    pub id: String,
    /// When it happened.
    #[serde(with = "serde_rfc3339")]
    pub at: SystemTime,
    /// What is said, in JSON.
    pub body: String,
}

/// All queues. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Webhooks {
    queues: Arc<Mutex<BTreeMap<String, Queue>>>,
}

#[derive(Debug, Default)]
struct Queue {
    messages: VecDeque<Message>,
    /// There is something more.
    grown: Arc<Notify>,
}

impl Webhooks {
    /// With what an earlier run did not bring to its end: by URL, the oldest first.
    pub fn with(earlier: BTreeMap<String, Vec<Message>>) -> Self {
        let queue = |messages: Vec<Message>| Queue { messages: messages.into(), ..Queue::default() };
        let queues = earlier.into_iter().map(|(url, messages)| (url, queue(messages))).collect();
        Webhooks { queues: Arc::new(Mutex::new(queues)) }
    }

    /// What waits, likewise.
    pub fn waiting(&self) -> BTreeMap<String, Vec<Message>> {
        let queues = self.lock();
        let of = |(url, queue): (&String, &Queue)| (url.clone(), queue.messages.iter().cloned().collect());
        queues.iter().filter(|(_, queue)| !queue.messages.is_empty()).map(of).collect()
    }

    /// How many wait.
    pub fn count(&self) -> usize {
        self.lock().values().map(|queue| queue.messages.len()).sum()
    }

    /// Tells the receivers of the latest configuration, until `shutdown`.
    pub async fn run(
        self,
        mut desired: watch::Receiver<Option<Desired>>,
        events: Events,
        meters: Meters,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let sender = Sender::new()?;
        let mut last = 0;
        let (missed, mut next) = events.after(last);
        let mut receivers: BTreeMap<String, AbortOnDropHandle<()>> = BTreeMap::new();
        self.follow(&desired, &sender, &meters, &mut receivers);
        desired.mark_unchanged();
        for event in missed {
            last = self.tell(&desired, event);
        }
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                Ok(()) = desired.changed() => {
                    self.follow(&desired, &sender, &meters, &mut receivers);
                    desired.mark_unchanged();
                }
                event = next.recv() => match event {
                    Ok(event) if event.id > last => last = self.tell(&desired, event),
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => {
                        let (missed, fresh) = events.after(last);
                        next = fresh;
                        for event in missed {
                            last = self.tell(&desired, event);
                        }
                    }
                    Err(RecvError::Closed) => return Ok(()),
                },
            }
        }
    }

    /// Begins with receivers that are new, and ends with those that are gone.
    fn follow(
        &self,
        desired: &watch::Receiver<Option<Desired>>,
        sender: &Sender,
        meters: &Meters,
        receivers: &mut BTreeMap<String, AbortOnDropHandle<()>>,
    ) {
        let wanted = wanted(desired);
        let is_wanted = |url: &String| wanted.iter().any(|webhook| webhook.url.as_str() == url);
        receivers.retain(|url, _| is_wanted(url));
        self.lock().retain(|url, _| is_wanted(url));
        for webhook in wanted {
            let url = webhook.url.to_string();
            receivers.entry(url.clone()).or_insert_with(|| {
                let (queues, desired) = (self.clone(), desired.clone());
                let (sender, meters) = (sender.clone(), meters.clone());
                AbortOnDropHandle::new(tokio::spawn(async move {
                    queues.serve(&url, desired, &sender, &meters).await;
                }))
            });
        }
    }

    /// Puts an event into the queues of who wants it; gives its number.
    fn tell(&self, desired: &watch::Receiver<Option<Desired>>, event: Event) -> u64 {
        let id = format!("msg_{}", secret::hexadecimal(&secret::random()[..16]));
        let body = serde_json::json!({ "type": event.kind, "timestamp": crate::time::rfc3339(event.at), "data": event });
        let message = Message { id, at: event.at, body: body.to_string() };
        for webhook in wanted(desired).iter().filter(|webhook| webhook.wants(&event.kind)) {
            let mut queues = self.lock();
            let queue = queues.entry(webhook.url.to_string()).or_default();
            if queue.messages.len() >= WAITING_AT_MOST {
                queue.messages.pop_front();
                tracing::warn!(
                    receiver = webhook.shown(),
                    "an event was given up for a later one: too many wait"
                );
            }
            queue.messages.push_back(message.clone());
            queue.grown.notify_one();
        }
        event.id
    }

    /// Sends what waits for one receiver, one at a time, until the task is ended.
    async fn serve(
        &self,
        url: &str,
        desired: watch::Receiver<Option<Desired>>,
        sender: &Sender,
        meters: &Meters,
    ) {
        let mut pause = PAUSES.0;
        loop {
            let (first, grown) = {
                let mut queues = self.lock();
                let queue = queues.entry(url.to_owned()).or_default();
                (queue.messages.front().cloned(), queue.grown.clone())
            };
            let Some(message) = first else {
                grown.notified().await;
                continue;
            };
            // As it is configured now: the secret may be another one.
            let Some(webhook) = wanted(&desired).into_iter().find(|webhook| webhook.url.as_str() == url)
            else {
                return;
            };
            let shown = webhook.shown();
            match sender.send(&webhook, &message, SystemTime::now()).await {
                Ok(()) => {
                    meters.delivered(Delivered::Taken);
                    tracing::debug!(receiver = shown, id = message.id, "an event was taken");
                    self.done(url, &message.id);
                    pause = PAUSES.0;
                }
                Err(error) if message.at.elapsed().is_ok_and(|age| age > TRIED_FOR) => {
                    meters.delivered(Delivered::GivenUp);
                    tracing::error!(
                        receiver = shown,
                        id = message.id,
                        error = format!("{error:#}"),
                        "an event was given up after a day"
                    );
                    self.done(url, &message.id);
                }
                Err(error) => {
                    meters.delivered(Delivered::Failed);
                    // Once for a row of failures.
                    if pause == PAUSES.0 {
                        tracing::warn!(
                            receiver = shown,
                            id = message.id,
                            error = format!("{error:#}"),
                            "an event was not taken; trying on"
                        );
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    /// Takes a message out of its queue, where it is still there.
    fn done(&self, url: &str, id: &str) {
        if let Some(queue) = self.lock().get_mut(url) {
            queue.messages.retain(|message| message.id != id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wanted(desired: &watch::Receiver<Option<Desired>>) -> Vec<Webhook> {
    desired.borrow().as_ref().map(|desired| desired.node.webhooks.clone()).unwrap_or_default()
}
