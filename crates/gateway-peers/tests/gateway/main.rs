//! The gateway between clients and servers that offer everything, or misbehave.

#![cfg(test)]

mod alone;
mod bad_clients;
mod bad_servers;
mod conformance;
mod limits;
mod lossless;
mod pairs;
mod random;
mod scrubbing;
mod world;
