//! What the gateway is tested against does what it promises.

mod fixture;
mod started;
