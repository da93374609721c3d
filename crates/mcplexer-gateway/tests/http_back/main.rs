//! Servers that the gateway reaches over HTTP: real servers on loopback, driven through the public interface.

#![cfg(test)]

mod bad;
mod client;
mod credentials;
mod events;
mod fake;
mod modern;
mod real;
mod streamable;
mod tls;
