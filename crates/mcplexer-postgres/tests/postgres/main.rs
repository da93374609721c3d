//! The backend, on servers that are started for the tests.

#![cfg(test)]

mod conformance;
mod cuts;
mod failover;
mod kills;
mod login;
mod proxy;
mod rekeys;
mod replacement;
mod revision;
mod roles;
mod round_trips;
mod server;
mod snapshots;
mod tasks;
mod work;
