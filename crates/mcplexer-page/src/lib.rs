//! The page of the gateway: secrets, servers and calls in a browser, and the same acts over HTTP for programs.
//!
//! Nothing here returns a value of a secret. What a page of another origin can send is refused before it arrives here
//! (`mcplexer-gateway` compares `Host`, `Origin` and `Sec-Fetch-Site`), there is no cookie, and every request but those for
//! the empty frame of the page carries a token. A command, an argument, an address or an environment of a server cannot be
//! changed here: what could, could run programs.

mod access;
mod api;
mod asked;
mod assets;
mod hints;
mod pages;
mod places;
mod problem;
mod sessions;
mod sight;
mod site;
mod slow;
mod streams;
mod turn;

pub use site::page;
