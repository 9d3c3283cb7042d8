//! Everything that touches AWS, a wire or a file: the store, the outbox, the topic, secrets, settings, the
//! HTTP edge. AWS SDK types stop here; what a function sees of it is a [`House`].

pub mod carrier;
pub mod clients;
pub mod echo;
pub mod emf;
pub mod given;
pub mod house;
pub mod jws;
pub mod keys;
pub mod lambda;
pub mod links;
pub mod outbox;
pub mod parameters;
pub mod pipeline;
pub mod policy;
pub mod receiver;
pub mod records;
pub mod schema;
pub mod secrets;
pub mod sender;
pub mod session;
pub mod settings;
pub mod signed;
pub mod slack;
pub mod sns;
pub mod store;
pub mod table;
pub mod telemetry;
pub mod topic;
pub mod verify;
pub mod wake;
pub mod wire;

pub use house::House;
pub use sender::{Guide, Proof, Reading, Sender};
pub use store::{Store, StoreError};
pub use wire::{Malformed, Refusal, Request, Response};
