//! The backend on a real cluster.

#![cfg(test)]

mod cluster;
mod conformance;
mod failover;
mod limits;
mod login;
mod lost;
mod rekeys;
mod threads;
mod traces;
