//! What the gateway is tested against does what it promises.

#![cfg(test)]

mod bad_client;
mod bad_server;
mod fixture;
mod started;
