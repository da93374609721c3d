//! The page of the gateway, as browsers and programs meet it: real sockets, and a real browser.

#![cfg(test)]
#![cfg(feature = "serve")]

mod attacks;
mod browser;
mod client;
mod documented;
mod driver;
mod evil;
mod flows;
mod gate;
mod hands;
mod hostile;
mod http;
mod large;
mod leaks;
mod looks;
mod origin;
mod others;
mod place;
mod streams;
mod trouble;
