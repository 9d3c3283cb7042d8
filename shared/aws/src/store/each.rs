//! Several services at once, a few at a time: what an answer about all of them is read with.

use std::sync::Arc;

use domain::{ServiceId, Situation};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Store, StoreError};

/// How many services are read at a time.
pub const AT_ONCE: usize = 8;

impl Store {
    /// The working set of each of these services, in their order.
    pub async fn situations(&self, services: Vec<ServiceId>) -> Vec<Result<Situation, StoreError>> {
        self.of_each(services, |store, service| async move { store.situation(&service).await }).await
    }

    /// What `ask` says of each of these services, in their order.
    pub async fn of_each<T, F>(
        &self,
        services: Vec<ServiceId>,
        ask: impl Fn(Self, ServiceId) -> F,
    ) -> Vec<Result<T, StoreError>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let gate = Arc::new(Semaphore::new(AT_ONCE));
        let mut answers: Vec<Result<T, StoreError>> =
            services.iter().map(|_| Err(StoreError::unavailable("it was not asked"))).collect();
        let mut asked = JoinSet::new();
        for (place, service) in services.into_iter().enumerate() {
            let (gate, answer) = (Arc::clone(&gate), ask(self.clone(), service));
            asked.spawn(async move {
                let _turn = gate.acquire().await;
                (place, answer.await)
            });
        }
        while let Some(answered) = asked.join_next().await {
            if let Ok((place, answer)) = answered
                && let Some(slot) = answers.get_mut(place)
            {
                *slot = answer;
            }
        }
        answers
    }
}
