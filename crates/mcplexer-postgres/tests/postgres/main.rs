//! The backend, on servers that are started for the tests.

#![cfg(test)]

mod conformance;
mod server;
